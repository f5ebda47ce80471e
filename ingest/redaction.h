#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A URL that is safe to print: "***" stands for its user information, for every value of a query, for the
// fragment, and in a path for all that follows "user=", "password/" and the like, as some cameras have it.
// What can't be told from a password is hidden too: all before the last '@', a port that is no number.
std::string redact_url(std::string_view url);
// The same of every URL in a free text (a library's own message), of NAME:PASSWORD@HOST without a scheme, of
// values of what is called a password, token or key, and of an Authorization header; and every occurrence of
// `secret`, percent-encoded or not.
std::string redact_text(std::string_view text, std::string_view secret = {});
// What must not be printed of a URL, a pipeline or an argument that holds one: passwords in its user
// information and values of what is called one, as they stand there and percent-decoded.
std::vector<std::string> secrets_in(std::string_view url);
// Every occurrence of `secret`, percent-encoded in whatever way or not, becomes "***".
std::string without(std::string_view text, std::string_view secret);

}  // namespace palisade
