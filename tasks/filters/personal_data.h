#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tasks/filters/text_patterns.h"

namespace palisade {

// The kinds of personal data that are known by their look:
//   email
//   phone     +49 30 1234567, 0049 30 1234567, 030 1234567, (212) 555-0123
//   card      payment cards: an issuer's first digits and length, and Luhn's check digit (ISO/IEC 7812)
//   plate     number plates as D, GB, F, I, E, NL, US, BR, IN and CN write them, in capitals
//   identity  numbers of a person, with their check digits where they have some: US SSN, GB NINO, ES DNI and
//             NIE, IT codice fiscale, FR NIR, BR CPF, CN resident identity card
// Looks alone: some of what they find is none, and what is written otherwise is not found.
std::vector<std::string_view> personal_data_kinds();

// Adds one kind's patterns under `name`.
void add_personal_data(TextPatterns& patterns, const std::string& name, std::string_view kind);

}  // namespace palisade
