package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
import java.util.Locale;
import java.util.Optional;

/// The tokens that frame a conversation, turn by turn, so that a session appends to its KV cache
/// and never encodes history again:
///
/// ```
/// session.append(chat.firstTurn(system, question));  // the reply is generated behind it
/// session.append(chat.nextTurn(question));           // and so on
/// ```
///
/// The token that ended a reply is not to be appended: [#nextTurn] begins by closing the reply, be
/// it complete or cut short. As in the models' own templates, white space around a text is removed.
///
/// Contents are encoded without special tokens, so no text forges a turn.
public sealed interface ChatTemplate permits Llama3Chat, Llama2Chat {
  /// The format's name, for reports.
  String name();

  /// The beginning of a conversation, up to where the model's reply begins.
  ///
  /// @param system instructions that hold for the whole conversation
  /// @throws IllegalArgumentException where the format can't express the texts
  int[] firstTurn(Optional<String> system, String user);

  /// The end of the last reply and the user's next text, up to where the model's reply begins.
  ///
  /// @throws IllegalArgumentException where the format can't express the text
  int[] nextTurn(String user);

  /// The format that a model was trained with, found by its special tokens and its metadata.
  ///
  /// @throws TokenizerException where it is none that Quern knows
  static ChatTemplate from(GgufMetadata metadata, Tokenizer tokenizer) {
    return of(tokenizer, metadata.string(Keys.CHAT_TEMPLATE));
  }

  /// The format that a model was trained with.
  ///
  /// @param source the metadata's `tokenizer.chat_template` (Jinja; only looked at, never run)
  /// @throws TokenizerException where it is none that Quern knows
  static ChatTemplate of(Tokenizer tokenizer, Optional<String> source) {
    if (Llama3Chat.fits(tokenizer)) {
      return new Llama3Chat(tokenizer);
    }
    if (source.isPresent() && Llama2Chat.fits(tokenizer, source.get())) {
      return new Llama2Chat(tokenizer, source.get().contains(Llama2Chat.SYSTEM));
    }
    throw new TokenizerException(
        String.format(
                Locale.ROOT,
                "%s is %s, expected Llama 3's (with the tokens %s) or Llama 2's (%s, in a vocabulary of",
                Keys.CHAT_TEMPLATE,
                source.isEmpty() ? "missing" : "of another kind",
                Llama3Chat.MARKERS,
                Llama2Chat.USER)
            + " the kind llama with BOS and EOS); use plain completion with this model");
  }
}
