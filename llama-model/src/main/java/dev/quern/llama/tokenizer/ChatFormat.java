package dev.quern.llama.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The frames of conversations that Quern has templates of its own for. They know no tools.
///
/// @since 0.1
/// @stability api
public enum ChatFormat {
  /// Meta's `ChatFormat`: `<|begin_of_text|>`, then for each message
  /// `<|start_header_id|>role<|end_header_id|>\n\ncontent<|eot_id|>`. White space around a content
  /// is removed.
  LLAMA3(
      """
      {{- '<|begin_of_text|>' }}
      {%- for message in messages %}
          {{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
          {{- message.content | trim + '<|eot_id|>' }}
      {%- endfor %}
      {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
      """),
  /// Meta's `chat_completion`: `<s>[INST] <<SYS>>\nsystem\n<</SYS>>\n\nuser [/INST] reply
  /// </s><s>[INST] user [/INST]`. White space is removed around system text and question together.
  LLAMA2(
      """
      {%- set system = '' %}
      {%- if messages and messages[0].role == 'system' %}
          {%- set system = '<<SYS>>\\n' + messages[0].content + '\\n<</SYS>>\\n\\n' %}
          {%- set messages = messages[1:] %}
      {%- endif %}
      {%- for message in messages %}
          {%- if message.role != ('user' if loop.index0 % 2 == 0 else 'assistant') %}
              {{- raise_exception('a message of another role, expected user and assistant in turns, behind a system text at most') }}
          {%- elif message.role == 'user' %}
              {{- bos_token + '[INST] ' + ((system if loop.first else '') + message.content) | trim + ' [/INST]' }}
          {%- else %}
              {{- ' ' + message.content | trim + ' ' + eos_token }}
          {%- endif %}
      {%- endfor %}
      """),
  /// `<|im_start|>role\ncontent<|im_end|>\n` for each message. White space around a content stays.
  CHATML(
      """
      {%- for message in messages %}
          {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
      {%- endfor %}
      {{- '<|im_start|>assistant\\n' }}
      """),
  /// No frame: the messages' contents, a line each, for models that continue texts and know no
  /// conversations, such as the demo model. A single question is continued as it is.
  PLAIN(
      """
      {%- for message in messages %}
          {{- message.content + ('' if loop.last else '\\n') }}
      {%- endfor %}
      """);

  private static final String NO_TOOLS =
      """
      {%- if tools or messages | selectattr('tool_calls', 'defined') | list %}
          {{- raise_exception('tools, expected none: this frame has no place for them') }}
      {%- endif %}
      """;

  private static final List<String> LLAMA3_TOKENS =
      List.of("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>");

  private final String template;

  ChatFormat(String template) {
    this.template = template;
  }

  /// Jinja.
  String template() {
    return NO_TOOLS + template;
  }

  /// What the format needs and a vocabulary lacks.
  Optional<String> missing(Tokenizer tokenizer) {
    return switch (this) {
      case LLAMA3 ->
          LLAMA3_TOKENS.stream().allMatch(tokenizer::isSpecial)
              ? Optional.empty()
              : Optional.of("the tokens " + LLAMA3_TOKENS);
      case LLAMA2 ->
          tokenizer.isSentencePiece() && tokenizer.bos().isPresent() && tokenizer.eos().isPresent()
              ? Optional.empty()
              : Optional.of("the kind llama, with BOS and EOS");
      case CHATML -> // it ends a reply
          tokenizer.isSpecial("<|im_end|>")
              ? Optional.empty()
              : Optional.of("the token <|im_end|>");
      case PLAIN -> Optional.empty();
    };
  }

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
