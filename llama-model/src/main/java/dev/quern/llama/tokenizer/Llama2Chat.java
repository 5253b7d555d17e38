package dev.quern.llama.tokenizer;

import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Llama 2's format (Meta's `chat_completion`): `<s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser
/// [/INST] reply </s><s>[INST] user [/INST]`.
///
/// Its tags are ordinary text, so a content that holds one is refused, as Meta's code does.
final class Llama2Chat implements ChatTemplate {
  static final String USER = "[INST]";
  static final String SYSTEM = "<<SYS>>";
  private static final List<String> TAGS = List.of(USER, "[/INST]", SYSTEM, "<</SYS>>");

  private final Tokenizer tokenizer;
  private final boolean hasSystem;

  /// @param hasSystem whether the model knows system texts (Mistral's variant does not)
  Llama2Chat(Tokenizer tokenizer, boolean hasSystem) {
    this.tokenizer = tokenizer;
    this.hasSystem = hasSystem;
  }

  static boolean fits(Tokenizer tokenizer, String source) {
    return source.contains(USER)
        && tokenizer.isSentencePiece()
        && tokenizer.bos().isPresent()
        && tokenizer.eos().isPresent();
  }

  @Override
  public String name() {
    return "llama2";
  }

  @Override
  public int[] firstTurn(Optional<String> system, String user) {
    if (system.isPresent() && !hasSystem) {
      throw new IllegalArgumentException(
          "chat: this model's template has no system text, expected none; put the instructions"
              + " into the first question");
    }
    String content =
        system
            .map(text -> SYSTEM + "\n" + checked(text) + "\n<</SYS>>\n\n" + checked(user))
            .orElseGet(() -> checked(user));
    IntBuffer out = new IntBuffer();
    turn(content, out);
    return out.toArray();
  }

  @Override
  public int[] nextTurn(String user) {
    IntBuffer out = new IntBuffer();
    out.add(tokenizer.eos().getAsInt());
    turn(checked(user), out);
    return out.toArray();
  }

  private void turn(String content, IntBuffer out) {
    out.add(tokenizer.bos().getAsInt());
    out.addAll(tokenizer.encode(USER + " " + content + " [/INST]", false));
  }

  private static String checked(String content) {
    for (String tag : TAGS) {
      if (content.contains(tag)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "chat: the text contains %s, expected none of %s, which frame this model's turns",
                tag,
                TAGS));
      }
    }
    return content.strip();
  }
}
