-- Ten thousand orders, the same on every machine.
create table orders (
  id        integer primary key,
  customer  text not null,
  article   text not null,
  quantity  integer not null check (quantity > 0),
  price     numeric(10, 2) not null,
  placed_at timestamp not null
);
insert into orders
select n,
       (array['Ada', 'Björn', 'Chidi', 'Dörte', 'Eva', 'Farid', 'Grace'])[1 + n % 7] || ' ' || md5(n::text),
       (array['lamp', 'chair', 'table', 'shelf', 'rug'])[1 + n % 5],
       1 + n % 9,
       ((n * 7919) % 50000) / 100.0,
       timestamp '2024-01-01 08:00' + n * interval '37 minutes'
from generate_series(1, 10000) as n;
create index orders_by_customer on orders (customer);
