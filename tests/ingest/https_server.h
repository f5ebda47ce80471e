#pragma once

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>

#include "base/format.h"
#include "tests/ingest/loopback_server.h"

namespace palisade::test {

// The properties of a certificate to make. `from` and `to`: validity in seconds relative to now.
struct Certificate {
  std::string names = "IP:127.0.0.1,DNS:localhost";
  long from = -3600;
  long to = 3600;
  bool by_authority = false;  // signed by an unknown authority instead of self-signed
};

// An HTTPS server on the loopback that answers every request with the same text.
class HttpsServer {
 public:
  HttpsServer(const Certificate& certificate, std::string answer) : answer_(std::move(answer)) {
    context_.reset(SSL_CTX_new(TLS_server_method()));
    key_.reset(EVP_EC_gen("P-256"));
    authority_key_.reset(EVP_EC_gen("P-256"));
    certificate_ = made(certificate);
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    server_.emplace([this](LoopbackPeer& peer) { serve(peer); });
  }
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  std::string url(const std::string& path) const { return format("https://127.0.0.1:{}{}", port(), path); }
  int port() const { return server_->port(); }
  // The server's certificate as a PEM text.
  std::string pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free_all)> memory(BIO_new(BIO_s_mem()), BIO_free_all);
    PEM_write_bio_X509(memory.get(), certificate_.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    return {text, std::size_t(size)};
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  std::unique_ptr<X509, Free> made(const Certificate& wanted) const {
    std::unique_ptr<X509, Free> certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 7);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wanted.from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wanted.to);
    X509_set_pubkey(certificate.get(), key_.get());
    name(X509_get_subject_name(certificate.get()), "camera");
    name(X509_get_issuer_name(certificate.get()), wanted.by_authority ? "nobody's authority" : "camera");
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, wanted.names.c_str());
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate.get(), wanted.by_authority ? authority_key_.get() : key_.get(), EVP_sha256());
    return certificate;
  }

  static void name(X509_NAME* into, const char* text) {
    X509_NAME_add_entry_by_txt(into, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(text), -1, -1,
                               0);
  }

  void serve(LoopbackPeer& peer) {
    const timeval patience{10, 0};
    ::setsockopt(peer.descriptor(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::unique_ptr<SSL, Free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), peer.descriptor());
    char request[4096];
    if (SSL_accept(ssl.get()) == 1 && SSL_read(ssl.get(), request, sizeof request) > 0) {
      SSL_write(ssl.get(), answer_.data(), int(answer_.size()));
      SSL_shutdown(ssl.get());
    }
    ERR_clear_error();
  }

  std::string answer_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<EVP_PKEY, Free> authority_key_;
  std::unique_ptr<X509, Free> certificate_;
  std::optional<LoopbackServer> server_;  // the last member, because its threads use all others
};

}  // namespace palisade::test
