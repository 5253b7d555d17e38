package dev.quern.llama.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/// JSON out of model files, read strictly: one object, each key once, nesting and lengths bounded.
/// Every problem becomes an exception of the caller's kind, with a message of one line that says
/// where.
public final class Json {
  private static final int MAX_DEPTH = 32;
  private static final int MAX_NAME_CHARACTERS = 4096;
  private static final int MAX_STRING_CHARACTERS = 1 << 20; // chat templates are the longest
  private static final int MAX_NUMBER_CHARACTERS = 64;

  // Names are not interned: a vocabulary has a hundred thousand that occur once.
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(MAX_NAME_CHARACTERS)
                  .maxStringLength(MAX_STRING_CHARACTERS)
                  .maxNumberLength(MAX_NUMBER_CHARACTERS)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private final String file;
  private final JsonParser parser;
  private final Function<String, ? extends RuntimeException> failure;
  private boolean exact; // whether all numbers are BigDecimal

  private Json(
      String file, JsonParser parser, Function<String, ? extends RuntimeException> failure) {
    this.file = file;
    this.parser = parser;
    this.failure = failure;
  }

  /// What is done with the members of an object: the value is the current token, and must be read
  /// by one of this class's methods.
  @FunctionalInterface
  public interface Member {
    void read(String key, Json json) throws IOException;
  }

  /// Reads a file's object as a tree.
  ///
  /// @param maxBytes a larger file is refused
  /// @param failure makes the caller's exception of a message
  public static JsonObject read(
      Path file, long maxBytes, Function<String, ? extends RuntimeException> failure)
      throws IOException {
    Map<String, Object> members = new LinkedHashMap<>();
    stream(file, maxBytes, failure, (key, json) -> members.put(key, json.value()));
    return new JsonObject(Printable.escaped(file.toString()), "", members, failure);
  }

  /// Reads a file's object, member by member.
  public static void stream(
      Path file, long maxBytes, Function<String, ? extends RuntimeException> failure, Member member)
      throws IOException {
    String name = Printable.escaped(file.toString());
    long size = Files.size(file);
    if (size > maxBytes) {
      throw failure.apply(
          String.format(
              Locale.ROOT,
              "%s: %d bytes, expected at most %d: not a model's JSON",
              name,
              size,
              maxBytes));
    }
    try (InputStream in = Files.newInputStream(file)) {
      stream(name, in, failure, member);
    }
  }

  /// Reads a text's object as a tree.
  ///
  /// @param name what messages call it
  public static Map<String, Object> object(
      String name, String text, Function<String, ? extends RuntimeException> failure) {
    return object(name, text, failure, false);
  }

  /// Reads a text's object as a tree whose numbers are all [java.math.BigDecimal], as they are
  /// written.
  ///
  /// @param name what messages call it
  public static Map<String, Object> exact(
      String name, String text, Function<String, ? extends RuntimeException> failure) {
    return object(name, text, failure, true);
  }

  private static Map<String, Object> object(
      String name,
      String text,
      Function<String, ? extends RuntimeException> failure,
      boolean exact) {
    Map<String, Object> members = new LinkedHashMap<>();
    InputStream in = new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    try {
      stream(
          name,
          in,
          failure,
          (key, json) -> {
            json.exact = exact;
            members.put(key, json.value());
          });
    } catch (IOException e) { // memory has none
      throw new UncheckedIOException(e);
    }
    return members;
  }

  /// Reads the object that a stream holds, member by member.
  ///
  /// @param name what messages call it
  public static void stream(
      String name,
      InputStream in,
      Function<String, ? extends RuntimeException> failure,
      Member member)
      throws IOException {
    try (JsonParser parser = FACTORY.createParser(in)) {
      Json json = new Json(name, parser, failure);
      parser.nextToken();
      json.members(member);
      if (parser.nextToken() != null) {
        throw json.fail("something behind the object", "nothing");
      }
    } catch (JsonProcessingException e) {
      RuntimeException failed =
          failure.apply(
              String.format(
                  Locale.ROOT,
                  "%s: JSON, byte %d: %s",
                  name,
                  e.getLocation() == null ? 0 : e.getLocation().getByteOffset(),
                  cut(Printable.escaped(e.getOriginalMessage()))));
      failed.initCause(e);
      throw failed;
    }
  }

  /// Reads the current object, member by member.
  public void members(Member member) throws IOException {
    expect(JsonToken.START_OBJECT, "an object");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      member.read(key, this);
    }
  }

  /// Reads the current array, element by element; each must be read by one of this class's methods.
  public void elements(Member element) throws IOException {
    expect(JsonToken.START_ARRAY, "an array");
    for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
      element.read(Integer.toString(i), this);
    }
  }

  /// The current value, a string.
  public String string() throws IOException {
    expect(JsonToken.VALUE_STRING, "a string");
    return parser.getText();
  }

  /// The current value, an integer from 0 to `max`.
  public long count(long max) throws IOException {
    expect(JsonToken.VALUE_NUMBER_INT, "a count");
    if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
        || parser.getLongValue() < 0
        || parser.getLongValue() > max) {
      throw fail(parser.getText(), "0 to " + max);
    }
    return parser.getLongValue();
  }

  /// Whether the current value is an array.
  public boolean isArray() {
    return parser.currentToken() == JsonToken.START_ARRAY;
  }

  /// The current value as a tree: Map, List, String, Long, Double, Boolean or null.
  public Object value() throws IOException {
    if (exact && parser.currentToken().isNumeric()) {
      return parser.getDecimalValue();
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        Map<String, Object> map = new LinkedHashMap<>();
        members((key, json) -> map.put(key, json.value()));
        yield map;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        elements((_, json) -> list.add(json.value()));
        yield list;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT ->
          parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
              ? (Object) parser.getDoubleValue()
              : (Object) parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw fail(parser.currentToken().toString(), "a value");
    };
  }

  /// An exception about the current value.
  public RuntimeException fail(String actual, String expected) {
    return failure.apply(
        String.format(
            Locale.ROOT,
            "%s: byte %d, %s: %s, expected %s",
            file,
            parser.currentTokenLocation().getByteOffset(),
            Printable.quoted(parser.getParsingContext().pathAsPointer().toString()),
            actual,
            expected));
  }

  private void expect(JsonToken token, String what) throws IOException {
    JsonToken actual = parser.currentToken();
    if (actual != token) {
      throw fail(actual == null ? "nothing" : describe(actual), what);
    }
  }

  private String describe(JsonToken token) throws IOException {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      default -> Printable.quoted(parser.getText());
    };
  }

  private static String cut(String message) {
    return message.length() <= 200 ? message : message.substring(0, 200) + " ...";
  }
}
