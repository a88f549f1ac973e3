#include "notify/http.hpp"

#include <memory>

#include "notify/curl_library.hpp"

namespace kopidocka {
namespace {

constexpr size_t kBodyLimit = 16u << 20;

using Easy = std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&::curl_slist_free_all)>;

Error not_there() {
  return {ErrorKind::internal, "libcurl cannot be used: " KOPIDOCKA_LIBCURL " is missing, too old or does not start",
          "install it (Debian's package libcurl4)"};
}

size_t keep_body(char* data, size_t, size_t size, void* target) {
  auto& body = *static_cast<std::string*>(target);
  if (body.size() + size > kBodyLimit) return 0;
  body.append(data, size);
  return size;
}

int ask_whether_to_stop(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

Result<HttpAnswer> perform(const CurlLibrary& curl, CURL* easy, const std::string& url, Milliseconds timeout) {
  HttpAnswer answer;
  curl.easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl.easy_setopt(easy, CURLOPT_USERAGENT, "kopi-docka/" KOPIDOCKA_VERSION);
  curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, &keep_body);
  curl.easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  const auto code = curl.easy_perform(easy);
  if (code == CURLE_OPERATION_TIMEDOUT)
    return Error{ErrorKind::timeout, "no answer within " + format_duration(timeout)};
  if (code == CURLE_ABORTED_BY_CALLBACK) return Error{ErrorKind::cancelled, "asked to stop"};
  if (code == CURLE_WRITE_ERROR) return Error{ErrorKind::failed, "the answer is larger than 16 MiB"};
  if (code != CURLE_OK) return Error{ErrorKind::unreachable, curl.easy_strerror(code)};
  curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

}  // namespace

Result<HttpAnswer> http_get(const std::string& url, Milliseconds timeout) {
  const auto* const library = CurlLibrary::get();
  if (library == nullptr) return not_there();
  const auto& curl = *library;
  const Easy easy(curl.easy_init(), curl.easy_cleanup);
  if (!easy) return not_there();
  curl.easy_setopt(easy.get(), CURLOPT_NOPROXY, "*");
  return perform(curl, easy.get(), url, timeout);
}

Result<HttpAnswer> http_post_json(const std::string& url, const std::string& json, Milliseconds timeout,
                                  const std::atomic<bool>& stop) {
  const auto* const library = CurlLibrary::get();
  if (library == nullptr) return not_there();
  const auto& curl = *library;
  const Easy easy(curl.easy_init(), curl.easy_cleanup);
  if (!easy) return not_there();
  const Headers headers(curl.slist_append(nullptr, "Content-Type: application/json"), curl.slist_free_all);
  curl.easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers.get());
  curl.easy_setopt(easy.get(), CURLOPT_POSTFIELDS, json.c_str());
  curl.easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl.easy_setopt(easy.get(), CURLOPT_NOPROGRESS, 0L);
  curl.easy_setopt(easy.get(), CURLOPT_XFERINFOFUNCTION, &ask_whether_to_stop);
  curl.easy_setopt(easy.get(), CURLOPT_XFERINFODATA, const_cast<void*>(static_cast<const void*>(&stop)));
  return perform(curl, easy.get(), url, timeout);
}

}  // namespace kopidocka
