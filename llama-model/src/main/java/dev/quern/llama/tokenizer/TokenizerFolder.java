package dev.quern.llama.tokenizer;

import dev.quern.llama.gguf.GgufWriter;
import dev.quern.llama.text.Json;
import dev.quern.llama.text.JsonObject;
import dev.quern.llama.text.Printable;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The tokenizer of a model's folder, as Hugging Face lays it out:
///
/// ```
/// tokenizer.json           vocabulary, merges, how text is cut (see TokenizerJson)
/// tokenizer_config.json    bos_token, eos_token, chat_template          (may be absent)
/// chat_template.jinja      the chat template, in newer folders          (may be absent)
/// chat_template.json       the chat template, beside some processors    (may be absent)
/// generation_config.json   eos_token_id, all that end a generation      (may be absent)
/// ```
///
/// @since 0.1
/// @stability api
public final class TokenizerFolder {
  static final String TOKENIZER = "tokenizer.json";
  private static final String CONFIG = "tokenizer_config.json";
  private static final String GENERATION = "generation_config.json";
  private static final String TEMPLATE = "chat_template.jinja";
  private static final String TEMPLATE_JSON = "chat_template.json";

  private static final long MAX_CONFIG_BYTES = 16 << 20;
  private static final long MAX_TEMPLATE_BYTES = 1 << 20;

  private TokenizerFolder() {}

  /// Whether the folder has a tokenizer.
  public static boolean has(FilesByName folder) {
    return folder.has(TOKENIZER);
  }

  /// A folder's `tokenizer.json` has the regular expression itself.
  ///
  /// @throws TokenizerException where a pre-tokenizer is given
  public static void requireNone(Optional<String> preTokenizer) {
    preTokenizer.ifPresent(name -> {
      throw new TokenizerException(
          String.format(
              Locale.ROOT,
              "a pre-tokenizer (%s) for a model's folder, expected none: %s says how words are cut",
              TokenizerException.quote(name),
              TOKENIZER));
    });
  }

  /// Reads the tokenizer.
  ///
  /// @param endTokens ids that end a generation, from elsewhere
  /// @param vocabulary rows of the embedding matrix: ids that the vocabulary lacks become unused
  ///   tokens; 0 where that is not known
  /// @throws TokenizerException where the files ask for a tokenizer of another kind, or are damaged
  public static Tokenizer read(FilesByName folder, List<Long> endTokens, int vocabulary)
      throws IOException {
    return TokenizerJson.read(folder.file(TOKENIZER), context(folder, endTokens, vocabulary))
        .tokenizer();
  }

  /// Writes the tokenizer and the chat template as GGUF has them; of a folder without a tokenizer,
  /// that there is none.
  ///
  /// @param endTokens as for [#read]
  /// @param vocabulary as for [#read]
  /// @throws TokenizerException also where there are more tokens that end a generation than GGUF
  ///   has keys for
  public static void write(
      FilesByName folder, List<Long> endTokens, int vocabulary, GgufWriter writer)
      throws IOException {
    if (!has(folder)) {
      writer.string(Keys.MODEL, Keys.NO_MODEL);
      return;
    }
    TokenizerJson.read(folder.file(TOKENIZER), context(folder, endTokens, vocabulary))
        .definition()
        .writeTo(writer);
    chatTemplate(folder).ifPresent(template -> writer.string(Keys.CHAT_TEMPLATE, template));
  }

  private static TokenizerJson.Context context(
      FilesByName folder, List<Long> endTokens, int vocabulary) throws IOException {
    List<Long> ends = new ArrayList<>(endTokens);
    json(folder, GENERATION).ifPresent(json -> ends.addAll(json.integers("eos_token_id")));
    Optional<JsonObject> config = json(folder, CONFIG);
    return new TokenizerJson.Context(
        config.flatMap(json -> token(json, "bos_token")),
        config.flatMap(json -> token(json, "eos_token")),
        ends,
        vocabulary);
  }

  /// The chat template (Jinja; recognised or run).
  public static Optional<String> chatTemplate(FilesByName folder) throws IOException {
    Optional<Path> file = folder.find(TEMPLATE);
    if (file.isPresent()) {
      if (Files.size(file.get()) > MAX_TEMPLATE_BYTES) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: more than %d bytes, expected a chat template",
                TEMPLATE,
                MAX_TEMPLATE_BYTES));
      }
      return Optional.of(text(file.get()));
    }
    Optional<JsonObject> other = json(folder, TEMPLATE_JSON);
    return (other.isPresent() ? other : json(folder, CONFIG)).flatMap(TokenizerFolder::template);
  }

  /// Of a list of named templates the one that is called default, else the first.
  private static Optional<String> template(JsonObject json) {
    if (!json.isArray("chat_template")) {
      return json.string("chat_template");
    }
    List<JsonObject> named = json.objects("chat_template").orElseThrow();
    return named.stream()
        .filter(t -> t.string("name").equals(Optional.of("default")))
        .findFirst()
        .or(() -> named.stream().findFirst())
        .flatMap(t -> t.string("template"));
  }

  private static String text(Path file) throws IOException {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      TokenizerException failed =
          new TokenizerException(
              String.format(
                  Locale.ROOT,
                  "%s: not UTF-8, expected a chat template",
                  Printable.escaped(file.toString())));
      failed.initCause(e);
      throw failed;
    }
  }

  private static Optional<JsonObject> json(FilesByName folder, String name) throws IOException {
    Optional<Path> file = folder.find(name);
    return file.isEmpty()
        ? Optional.empty()
        : Optional.of(Json.read(file.get(), MAX_CONFIG_BYTES, TokenizerException::new));
  }

  /// A token by its text: a string, or an object with `content`.
  private static Optional<String> token(JsonObject json, String key) {
    return json.isObject(key)
        ? json.object(key).flatMap(token -> token.string("content"))
        : json.string(key);
  }
}
