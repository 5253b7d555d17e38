package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// The tokens that frame a conversation, turn by turn, so that a session appends to its KV cache
/// and never encodes history again:
///
/// ```
/// session.append(chat.firstTurn(system, question));  // the reply is generated behind it
/// session.append(chat.nextTurn(question));           // and so on
/// ```
///
/// The token that ended a reply is not to be appended: [#nextTurn] begins by closing the reply, be
/// it complete or cut short.
///
/// Contents are encoded without special tokens, so no text forges a turn. The template that a model
/// comes with is never ignored, and never guessed at: it is one whose frame is known to the last
/// statement (see [KnownTemplates]), or it is run ([TemplateChat]), or refused.
///
/// @since 0.1
/// @stability api
public sealed interface ChatTemplate permits Llama3Chat, Llama2Chat, ChatMlChat, TemplateChat {
  /// The format's name, for reports.
  String name();

  /// The beginning of a conversation, up to where the model's reply begins.
  ///
  /// @param system instructions that hold for the whole conversation
  /// @throws TokenizerException where the format can't express the texts; another text will do
  int[] firstTurn(Optional<String> system, String user);

  /// The end of the last reply and the user's next text, up to where the model's reply begins.
  ///
  /// @throws TokenizerException where the format can't express the text; another text will do
  int[] nextTurn(String user);

  /// The format that a model was trained with, by its chat template or, where it has none, by its
  /// special tokens.
  ///
  /// @throws TokenizerException where there is none, or it can't be run
  static ChatTemplate from(GgufMetadata metadata, Tokenizer tokenizer) {
    return of(tokenizer, metadata.string(Keys.CHAT_TEMPLATE), Optional.empty(), LocalDate.now());
  }

  /// The format that a model was trained with.
  ///
  /// @param source the metadata's `tokenizer.chat_template` (Jinja; recognised or run)
  /// @param format what a user says that the format is, whatever the template
  /// @param today what a template tells the model that has the date (Llama 3.2's)
  /// @throws TokenizerException where there is none, or it can't be run
  static ChatTemplate of(
      Tokenizer tokenizer, Optional<String> source, Optional<ChatFormat> format, LocalDate today) {
    if (format.isPresent()) {
      return switch (format.get()) {
        case LLAMA3 -> new Llama3Chat(tokenizer, "");
        case LLAMA2 -> new Llama2Chat(tokenizer);
        case CHATML -> new ChatMlChat(tokenizer, false, Optional.empty());
      };
    }
    Optional<String> template = source.filter(text -> !text.isBlank());
    if (template.isPresent()) {
      return KnownTemplates.find(template.get(), tokenizer, today)
          .orElseGet(() -> new TemplateChat(tokenizer, template.get(), today));
    }
    if (Llama3Chat.fits(tokenizer)) {
      return new Llama3Chat(tokenizer, "");
    }
    throw unusable("is missing, expected one");
  }

  /// @param problem what is wrong with the template, and what was expected
  static TokenizerException unusable(String problem) {
    return new TokenizerException(
        String.format(
            Locale.ROOT,
            "%s %s; if you know the model's frame, name it with --chat-template %s (LoadOptions.withChatFormat), or use plain completion with this model",
            Keys.CHAT_TEMPLATE,
            problem,
            Arrays.stream(ChatFormat.values())
                .map(ChatFormat::toString)
                .collect(Collectors.joining("|"))));
  }
}
