#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// A free text (a library's own message) that is safe to print: "***" stands for what is secret of every URL
// in it, for NAME:PASSWORD of NAME:PASSWORD@HOST without a scheme, for values of what is called a password,
// token or key, for an Authorization header, and for every occurrence of `secret`, percent-encoded or not.
std::string redact_text(std::string_view text, std::string_view secret = {});
// The same of the parts of an address, for who has read its scheme: what follows its "://", what follows its
// host, and NAME=VALUE as a pipeline has it.
std::string redact_authority(std::string_view rest);
std::string redact_path_and_query(std::string_view rest);
std::string redact_properties(std::string_view line);
// What must not be printed of a URL, a pipeline or an argument that holds one: passwords in its user
// information and values of what is called one, as they stand there and percent-decoded.
std::vector<std::string> secrets_in(std::string_view url);
// Every occurrence of `secret`, percent-encoded in whatever way or not, becomes "***".
std::string without(std::string_view text, std::string_view secret);

}  // namespace palisade
