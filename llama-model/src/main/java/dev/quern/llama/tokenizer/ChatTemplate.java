package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufMetadata;
import dev.quern.llama.jinja.JinjaException;
import dev.quern.llama.jinja.Rendering;
import dev.quern.llama.jinja.Template;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/// Makes the tokens of a conversation, which is a list of messages that the model's own template
/// (Jinja, from its file) writes at once, up to where the reply begins:
///
/// ```java
/// ChatTemplate chat = model.chatTemplate();
/// int[] prompt = chat.render(List.of(ChatMessage.user("Why?"))).tokens();
/// ```
///
/// What the template writes itself may become special tokens, and what it is given never does, so
/// no text forges a turn. Where turns are framed with tags that are plain text in a vocabulary
/// (Llama 2's `[INST]`), a message with one of them is refused, unless the model wrote it. The
/// template is never ignored, and never guessed at: it is run, in bounds, or refused.
///
/// Immutable and thread-safe. The time that a template is told is that of this object's making.
///
/// @since 0.1
/// @stability api
public final class ChatTemplate {
  private static final String TRIAL = "e03b9"; // a text that no template looks for

  private static final Map<String, Object> TRIAL_TOOL =
      Map.of(
          "type",
          "function",
          "function",
          Map.of("name", "f", "description", "f", "parameters", Map.of("type", "object")));

  private final String name;
  private final Tokenizer tokenizer;
  private final String source;
  private final Template template;
  private final FrameTags tags;
  private final Map<String, String> own = new HashMap<>();
  private final LocalDateTime now;

  private ChatTemplate(String name, Tokenizer tokenizer, String source, LocalDate today) {
    this.name = name;
    this.tokenizer = tokenizer;
    this.now = today.atTime(LocalTime.now());
    this.source = source;
    this.template = Template.of(source);
    this.tags = FrameTags.of(source, tokenizer);
    own.put("bos_token", text(tokenizer.bos()));
    own.put("eos_token", text(tokenizer.eos()));
  }

  /// The template that a model was trained with or, where it has none, Llama 3's, if it has that
  /// one's tokens.
  ///
  /// @throws TokenizerException where there is none, or it can't be run
  public static ChatTemplate from(GgufMetadata metadata, Tokenizer tokenizer) {
    return of(tokenizer, metadata.string(Keys.CHAT_TEMPLATE), Optional.empty(), LocalDate.now());
  }

  /// As [#from].
  ///
  /// @param source the metadata's `tokenizer.chat_template`
  /// @param format what a user says that the format is, whatever the template
  /// @param today what a template tells the model that has the date (Llama 3.2's)
  /// @throws TokenizerException where there is none, or it can't be run
  public static ChatTemplate of(
      Tokenizer tokenizer, Optional<String> source, Optional<ChatFormat> format, LocalDate today) {
    if (format.isPresent()) {
      return ofFormat(format.get(), tokenizer, today);
    }
    Optional<String> written = source.filter(text -> !text.isBlank());
    if (written.isPresent()) {
      try {
        ChatTemplate chat = new ChatTemplate("template", tokenizer, written.get(), today);
        chat.tryOut();
        return chat;
      } catch (JinjaException e) {
        throw caused(unusable("can't be run, " + e.getMessage() + ", expected one that can"), e);
      }
    }
    if (ChatFormat.LLAMA3.missing(tokenizer).isEmpty()) {
      return ofFormat(ChatFormat.LLAMA3, tokenizer, today);
    }
    throw unusable("is missing, expected one");
  }

  private static ChatTemplate ofFormat(ChatFormat format, Tokenizer tokenizer, LocalDate today) {
    format
        .missing(tokenizer)
        .ifPresent(missing -> {
          throw new TokenizerException(
              String.format(
                  Locale.ROOT,
                  "chat: the frame %s in a vocabulary that lacks what it needs, expected %s; name another frame with --chat-template, or use plain completion with this model",
                  format,
                  missing));
        });
    return new ChatTemplate(format.toString(), tokenizer, format.template(), today);
  }

  /// @param problem what is wrong with the template, and what was expected
  private static TokenizerException unusable(String problem) {
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

  private static TokenizerException caused(TokenizerException failed, Exception cause) {
    failed.initCause(cause);
    return failed;
  }

  private String text(OptionalInt token) {
    return token.isPresent() ? tokenizer.text(token.getAsInt()) : "";
  }

  /// A template that runs with no question, or passes over it, is none.
  private void tryOut() {
    List<ChatMessage> question = List.of(ChatMessage.user(TRIAL));
    Rendering rendering;
    try {
      rendering = run(question, ChatOptions.defaults());
    } catch (JinjaException e) {
      try { // it may be one for tools alone
        rendering = run(question, ChatOptions.defaults().withTools(List.of(TRIAL_TOOL)));
      } catch (JinjaException _) {
        throw e;
      }
    }
    if (!rendering.text().contains(TRIAL)) {
      throw unusable("does not write a question, expected one that writes the messages");
    }
  }

  /// For reports: `template`, or that of a [ChatFormat].
  public String name() {
    return name;
  }

  /// Whether a text stands in the template's source, such as a tag that it writes or looks for.
  public boolean mentions(String text) {
    return source.contains(text);
  }

  /// [#render(List, ChatOptions)] without tools and variables.
  public ChatPrompt render(List<ChatMessage> messages) {
    return render(messages, ChatOptions.defaults());
  }

  /// A conversation, up to where the reply begins.
  ///
  /// @throws TokenizerException where the template refuses or can't express it; another one will do
  public ChatPrompt render(List<ChatMessage> messages, ChatOptions options) {
    return anew(checked(messages, options));
  }

  /// [#render(List, ChatOptions)] of a conversation that goes on. As far as its text is what was
  /// rendered and replied before, but for white space around a reply, its tokens are those: a
  /// reply's are the ones that the model chose, where the same text would be cut otherwise.
  ///
  /// @param before what was rendered last, with the reply ([ChatPrompt#withReply])
  public ChatPrompt render(List<ChatMessage> messages, ChatOptions options, ChatPrompt before) {
    Rendering rendering = checked(messages, options);
    return before
        .borderIn(rendering)
        .map(border -> goneOn(before, border, rendering))
        .orElseGet(() -> anew(rendering));
  }

  private ChatPrompt anew(Rendering rendering) {
    int[] tokens = tokenizer.encode(rendering.text(), rendering.given(), 0, OptionalInt.empty());
    return ChatPrompt.of(rendering, tokenizer.withBos(tokens));
  }

  private ChatPrompt goneOn(ChatPrompt before, ChatPrompt.Border border, Rendering rendering) {
    int[] known = Arrays.copyOf(before.tokens(), border.tokens());
    OptionalInt last =
        known.length == 0 ? OptionalInt.empty() : OptionalInt.of(known[known.length - 1]);
    int[] rest = tokenizer.encode(rendering.text(), rendering.given(), border.characters(), last);
    return before.followedBy(rendering, IntBuffer.concat(known, rest), border);
  }

  private Rendering checked(List<ChatMessage> messages, ChatOptions options) {
    messages.forEach(tags::check);
    try {
      return run(messages, options);
    } catch (JinjaException e) {
      throw caused(TokenizerException.ofCaller("chat: " + e.getMessage()), e);
    }
  }

  private Rendering run(List<ChatMessage> messages, ChatOptions options) {
    Map<String, Object> given = new HashMap<>();
    given.put("documents", null); // as transformers has it
    given.putAll(options.variables());
    given.put("messages", messages.stream().map(ChatMessage::values).toList());
    given.put("tools", options.tools().isEmpty() ? null : options.tools());
    given.put("add_generation_prompt", true);
    return template.render(given, own, now);
  }
}
