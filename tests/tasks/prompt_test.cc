#include "tasks/prompt.h"

#include <doctest/doctest.h>

#include <string>

using namespace palisade;

TEST_CASE("a prompt that begins with a word of PaliGemma's is taken as it is") {
  for (const char* const prompt :
       {"answer en what moves?", "detect car ; dog", "caption fr", "ocr", "segment car"}) {
    CHECK(prompt_of_words(prompt, "en").text == prompt);
    CHECK(whole_prompt(prompt).text == prompt);
  }
}

TEST_CASE("any other words are asked as a question") {
  CHECK(prompt_of_words("what moves?", "en").text == "answer en what moves?");
  CHECK(prompt_of_words("captions are what?", "de").text == "answer de captions are what?");
  CHECK(prompt_of_words("detector?", "en").text == "answer en detector?");
  CHECK(prompt_of_words("caption: what?", "en").text == "answer en caption: what?");
}

TEST_CASE("a word of PaliGemma's is known in any case, and the rest stays as it was written") {
  CHECK(prompt_of_words("Caption EN", "de").text == "caption EN");
  CHECK(prompt_of_words("DETECT Red Car ; dog", "en").text == "detect Red Car ; dog");
  CHECK(prompt_of_words("OCR", "en").text == "ocr");
  CHECK(prompt_of_words("Answer\ten  Who?", "en").text == "answer\ten  Who?");
  CHECK(prompt_of_words("Segment\xc2\xa0"
                        "car",
                        "en")
            .text ==
        "segment\xc2\xa0"
        "car");
  CHECK(whole_prompt("What Moves?").text == "What Moves?");
}

TEST_CASE("white space around a text goes, whatever it is made of; a line break inside is a prompt's space") {
  for (const char* const space :
       {" ", "\t", "\n", "\r\n", "\r", "\v", "\f", "\xc2\xa0", "\xe2\x80\x8b", "\xe3\x80\x80", "\xef\xbb\xbf",
        "\xe2\x96\x81", "\xe2\x80\xa8", " \n \n "}) {
    CAPTURE(space);
    const std::string around(space);
    CHECK(plain_text(around + "a red  car" + around).text == "a red  car");
    CHECK(prompt_of_words(around + "caption en" + around, "en").text == "caption en");
    CHECK_FALSE(whole_prompt(around).fault.empty());
    CHECK_FALSE(prompt_of_words(around, "en").fault.empty());
    CHECK(plain_text(around).text.empty());
    CHECK(plain_text(around).fault.empty());
  }
  for (const char* const line_break : {"\n", "\r\n", "\r"}) {
    CHECK(whole_prompt("caption en" + std::string(line_break) + "twice\n").text == "caption en twice");
    CHECK(prompt_of_words("is it" + std::string(line_break) + "open?", "en").text == "answer en is it open?");
    CHECK(prompt_after("detect", "car ;" + std::string(line_break) + "dog").text == "detect car ; dog");
    CHECK(plain_text("a" + std::string(line_break) + "b").text == "a\nb");
  }
}

TEST_CASE("text that spells a control token is refused by its name, and what only looks like one is text") {
  for (const std::string token : {"<image>", "<bos>", "<eos>", "<pad>", "<unk>"}) {
    for (const std::string& text :
         {token, token + "caption en", "caption en" + token, "a <" + token + "> b"}) {
      CAPTURE(text);
      CHECK(plain_text(text).fault.find(token) != std::string::npos);
      CHECK(whole_prompt(text).fault.find(token) != std::string::npos);
      CHECK(prompt_of_words(text, "en").fault.find(token) != std::string::npos);
    }
  }
  for (const char* const text : {"< image >", "<IMAGE>", "<eos", "image>", "&lt;bos&gt;", "<imagine>"})
    CHECK(plain_text(text).fault.empty());
}

TEST_CASE("places and segments stay the tokens that they are") {
  for (const char* const text : {"<loc0000><loc0001><loc0512><loc1023> car", "<seg012>"}) {
    CHECK(plain_text(text).text == text);
    CHECK(plain_text(text).fault.empty());
  }
}

TEST_CASE("what is no text is refused") {
  for (const std::string text : {"a\x1b[1m", "a\x7f", "a\xff", "a\xc3", "\xed\xa0\x80", "a\x01"}) {
    CAPTURE(text);
    CHECK_FALSE(plain_text(text).fault.empty());
    CHECK_FALSE(prompt_of_words(text, "en").fault.empty());
  }
  CHECK_FALSE(plain_text(std::string("a\0b", 3)).fault.empty());
  CHECK(prompt_of_words(std::string(kMaxPrompt, 'x'), "en").fault.find("8 KiB") != std::string::npos);
  CHECK(whole_prompt(std::string(kMaxPrompt, 'x')).fault.empty());
  CHECK(whole_prompt(std::string(kMaxPrompt + 1, 'x')).fault.find("8 KiB") != std::string::npos);
}

TEST_CASE("a prompt belongs to the task that its first word asks for") {
  CHECK(task_of_prompt("cap en") == "cap");
  CHECK(task_of_prompt("describe en") == "describe");
  CHECK(task_of_prompt("ocr") == "ocr");
  CHECK(task_of_prompt("answer en what moves?") == "question");
  CHECK(task_of_prompt("detect car") == "detect");
  CHECK(task_of_prompt("something else") == "prompt");
}
