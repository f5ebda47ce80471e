#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "service/http/access.h"
#include "service/http/router.h"

namespace palisade {

struct HttpServerOptions {
  std::string endpoint;  // tcp://127.0.0.1:8420 or ipc:///run/palisade/http; port * takes a free one
  std::vector<std::string> hosts;    // names that clients may use for it, beside those of this machine alone
  std::vector<std::string> origins;  // pages of other servers that may ask: https://home.example
  // Files in PEM; empty: no TLS. Without it only this machine may ask, and the proxies.
  std::filesystem::path certificate, key;
  // Addresses of proxies that speak TLS in its stead, and say who asks (X-Forwarded-For).
  std::vector<std::string> trusted_proxies;
  // Called on the HTTP thread after each answer.
  std::function<void(const std::string& route, HttpMethod method, int status, double seconds)> on_done;
};

// Answers HTTP/1.1 on one address. One thread reads, judges and hands requests to their routes; it decodes
// nothing and waits for nothing. Two more do what takes longer (HttpExchange::work()).
//
// A request needs a token of the route's scope (Authorization: Bearer), known Host and Origin; on a Unix
// socket, which its group alone can open, everybody is admin. Limits: 256 connections, of these 32 an
// address; a header of 8 KiB within 10 s; a body at 10 KB/s at least; after 10 wrong tokens in a minute an
// address waits a second for each answer to another.
class HttpServer {
 public:
  // Throws Unavailable if the address cannot be bound, Error where the certificate cannot be used. The tokens
  // outlive the server.
  HttpServer(HttpServerOptions options, HttpRouter router, HttpTokens& tokens);
  ~HttpServer();  // closes all connections
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Connections that begin from now on use the certificate as its file has it now. Throws Error; then all
  // stays as it was. Any thread.
  void read_certificate_again();

  // A port * is replaced by the port that was bound.
  const std::string& endpoint() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace palisade
