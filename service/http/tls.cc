#include "service/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"

namespace palisade {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxPemBytes = 1u << 20;

std::string pem_of(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw Error(format("{}: not a regular file; http.tls names a certificate and its key", file.string()));
  return read_text_file(file, kMaxPemBytes);
}

void warn_of_readers(const std::filesystem::path& key) {
  struct stat status {};
  if (stat(key.c_str(), &status) == 0 && (status.st_mode & S_IROTH) != 0)
    log_warning(format("{}: everybody on this machine may read this key; chmod 600", key.string()));
}

void warn_of_age(SSL_CTX* context, const std::filesystem::path& file) {
  const X509* const certificate = SSL_CTX_get0_certificate(context);
  if (X509_cmp_time(X509_get0_notAfter(certificate), nullptr) < 0)
    log_warning(format("{}: the certificate has expired, and clients will refuse it", file.string()));
  if (X509_cmp_time(X509_get0_notBefore(certificate), nullptr) > 0)
    log_warning(format("{}: the certificate is not valid yet; is the clock right?", file.string()));
}

}  // namespace

TlsContext tls_context(const std::filesystem::path& certificate, const std::filesystem::path& key) {
  const std::string certificate_text = pem_of(certificate), key_text = pem_of(key);
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* const native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  boost::system::error_code error;
  // A key with a passphrase is refused; nobody is asked for it at a terminal.
  context->set_password_callback([](std::size_t, asio::ssl::context::password_purpose) { return ""; }, error);
  context->use_certificate_chain(asio::buffer(certificate_text), error);
  if (error) throw Error(format("{}: no certificate in PEM: {}", certificate.string(), error.message()));
  context->use_private_key(asio::buffer(key_text), asio::ssl::context::pem, error);
  if (error)
    throw Error(format("{}: no private key of that certificate, in PEM and without a passphrase: {}",
                       key.string(), error.message()));
  if (SSL_CTX_check_private_key(native) != 1)
    throw Error(format("{}: not the key of {}", key.string(), certificate.string()));
  warn_of_readers(key);
  warn_of_age(native, certificate);
  return context;
}

bool is_plain_http(const boost::system::error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_HTTP_REQUEST;
}

}  // namespace palisade
