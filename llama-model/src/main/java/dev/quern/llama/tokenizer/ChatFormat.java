package dev.quern.llama.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// The frames of conversations that Quern writes.
///
/// @since 0.1
/// @stability api
public enum ChatFormat {
  /// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>`
  LLAMA3,
  /// `[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser [/INST] reply`
  LLAMA2,
  /// `<|im_start|>role\ncontent<|im_end|>\n`
  CHATML;

  /// The format of that name, in letters of any case.
  ///
  /// @throws TokenizerException where there is none
  public static ChatFormat byName(String name) {
    return Arrays.stream(values())
        .filter(format -> format.toString().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            new TokenizerException(
                String.format(
                    Locale.ROOT,
                    "chat template %s, expected one of %s",
                    TokenizerException.quote(name),
                    List.of(values()))));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
