package dev.quern.llama.chat;

import dev.quern.llama.tokenizer.ChatPrompt;
import dev.quern.llama.tokenizer.ChatTemplate;
import java.util.List;

/// Whether a reply begins with what the model thinks, in the frame `<think>` ... `</think>`. That
/// is looked for where the model's template writes it, or takes it away, and nowhere else.
enum Thoughts {
  /// All is text.
  NONE,
  /// The reply may open the frame.
  POSSIBLE,
  /// The prompt has opened it.
  OPEN;

  private static final String BEGIN = "<think>";
  private static final String END = "</think>";

  /// As text, and as a control token: vocabularies have either.
  static final List<String> BEGINS = List.of(BEGIN, FrameText.token(BEGIN));

  static final List<String> ENDS = List.of(END, FrameText.token(END));

  static Thoughts of(ChatTemplate template, ChatPrompt prompt) {
    if (!template.mentions(END)) {
      return NONE;
    }
    return prompt.text().stripTrailing().endsWith(BEGIN) ? OPEN : POSSIBLE;
  }
}
