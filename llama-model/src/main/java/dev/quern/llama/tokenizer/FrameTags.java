package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/// The tags in a template that are ordinary text in a vocabulary: a message that holds one would
/// forge a turn, as Meta's code for Llama 2 says and refuses. Found by how the tags of turns look:
/// `[INST]`, `<<SYS>>`, `<|im_start|>`, and the latter with DeepSeek's wide bars.
///
/// @param tags each once, in the template's order
record FrameTags(List<String> tags) {
  private static final Pattern TAG =
      Pattern.compile(
          "\\[/?[A-Z][A-Z_]+\\]|<</?[A-Z][A-Z_]+>>|<[|\uff5c][^\\s<>'\"|\uff5c]{1,64}[|\uff5c]>");

  static FrameTags of(String template, Tokenizer tokenizer) {
    return new FrameTags(
        TAG.matcher(template)
            .results()
            .map(found -> found.group())
            .distinct()
            .filter(tag -> !tokenizer.isSpecial(tag))
            .toList());
  }

  /// The model's own messages may hold what they like: it was answered then, and is read again now.
  ///
  /// @throws TokenizerException where another one holds a tag
  void check(ChatMessage message) {
    if (tags.isEmpty() || message.role().equals("assistant")) {
      return;
    }
    for (String tag : tags) {
      if (message.content().orElse("").contains(tag)
          || message.fields().toString().contains(tag)
          || message.role().contains(tag)) {
        throw TokenizerException.ofCaller(
            String.format(
                Locale.ROOT,
                "chat: the text contains %s, expected none of %s, which frame this model's turns",
                tag,
                tags));
      }
    }
  }
}
