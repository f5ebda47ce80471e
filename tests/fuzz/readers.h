#pragma once

#include "tests/fuzz/targets.h"

// The readers in targets.cc's table. There is a file for each part of the product.
namespace palisade::fuzz {

void adapter(Input);
void calibration(Input);
void containers(Input);
void control(Input);
void events(Input);
void examples(Input);
void feed_wire(Input);
void json(Input);
void metrics(Input);
void model_config(Input);
void npz(Input);
void packed_cache(Input);
void peers(Input);
void pictures(Input);
void safetensors(Input);
void sentencepiece(Input);
void settings(Input);
void tokenizer_json(Input);
void urls(Input);

}  // namespace palisade::fuzz
