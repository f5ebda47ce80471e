#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace palisade {

// Makes a text safe to print, such as a library's message. "***" replaces the secrets of every URL in it,
// NAME:PASSWORD in NAME:PASSWORD@HOST, values of properties whose names end in password, token, key and the
// like, Authorization headers, and every occurrence of `secret`, percent-encoded or not.
std::string redact_text(std::string_view text, std::string_view secret = {});
// The same for parts of an address: for what follows "://", for what follows the host, and for the NAME=VALUE
// properties of a pipeline.
std::string redact_authority(std::string_view rest);
std::string redact_path_and_query(std::string_view rest);
std::string redact_properties(std::string_view line);
// The secrets in a URL, a pipeline or an argument: the password of its user information and the values of
// properties that are named like secrets; each as written and percent-decoded.
std::vector<std::string> secrets_in(std::string_view url);
// The text with "***" for every occurrence of `secret`, however it is percent-encoded.
std::string without(std::string_view text, std::string_view secret);

}  // namespace palisade
