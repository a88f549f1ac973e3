#pragma once

#include <curl/curl.h>

namespace kopidocka {

/// libcurl, loaded when it is asked for first: it brings two dozen libraries along, a third of the memory of a daemon that
/// may never send a message. Stays loaded; for any thread. Source: libcurl's own header, whose types these are.
struct CurlLibrary {
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_setopt) easy_setopt;
  decltype(&::curl_easy_perform) easy_perform;
  decltype(&::curl_easy_getinfo) easy_getinfo;
  decltype(&::curl_easy_strerror) easy_strerror;
  decltype(&::curl_slist_append) slist_append;
  decltype(&::curl_slist_free_all) slist_free_all;

  /// nullptr when it is not installed or does not start.
  static const CurlLibrary* get();
};

}  // namespace kopidocka
