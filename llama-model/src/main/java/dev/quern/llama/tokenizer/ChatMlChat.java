package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/// ChatML, as fine-tunes of Llama 3 use it: `<|im_start|>role\ncontent<|im_end|>\n` for each
/// message. White space around a content stays, as the template has it.
final class ChatMlChat implements ChatTemplate {
  private static final String START = "<|im_start|>";
  private static final String END = "<|im_end|>";
  private static final List<String> TAGS = List.of(START, END);

  private final Tokenizer tokenizer;
  private final OptionalInt start; // empty where the vocabulary spells it
  private final int end;
  private final boolean bos;
  private final Optional<String> defaultSystem;

  /// @param bos whether the template writes the token that begins a text. Where the vocabulary asks
  ///   for it, it is written in any case, as llama.cpp does
  /// @param defaultSystem what the system is told where nobody says anything
  ChatMlChat(Tokenizer tokenizer, boolean bos, Optional<String> defaultSystem) {
    this.tokenizer = tokenizer;
    this.start = tokenizer.id(START);
    this.end =
        tokenizer
            .id(END)
            .orElseThrow(() ->
                new TokenizerException(
                    String.format(
                        Locale.ROOT,
                        "chat: the vocabulary has no token %s, expected it: it ends a reply of %s; use plain completion with this model",
                        END,
                        ChatFormat.CHATML)));
    this.bos = bos || tokenizer.addsBos();
    this.defaultSystem = defaultSystem;
  }

  @Override
  public String name() {
    return ChatFormat.CHATML.toString();
  }

  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    IntBuffer out = new IntBuffer();
    if (bos) {
      tokenizer.bos().ifPresent(out::add);
    }
    system.or(() -> defaultSystem).ifPresent(text -> message("system", text, out));
    message("user", user, out);
    header("assistant", "", out);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    IntBuffer out = new IntBuffer();
    end(out);
    message("user", user, out);
    header("assistant", "", out);
    return out.toArray();
  }

  private void message(String role, String content, IntBuffer out) {
    header(role, content, out);
    end(out);
  }

  /// A role and its content are one text: words are cut as if they had been written together.
  private void header(String role, String content, IntBuffer out) {
    String text = role + "\n" + content;
    if (start.isPresent()) {
      out.add(start.getAsInt());
      out.addAll(tokenizer.encode(text, false));
    } else {
      ChatText.refuse(content, TAGS);
      out.addAll(tokenizer.encode(START + text, false));
    }
  }

  private void end(IntBuffer out) {
    out.add(end);
    out.addAll(tokenizer.encode("\n", false));
  }
}
