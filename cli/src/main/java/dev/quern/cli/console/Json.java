package dev.quern.cli.console;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.quern.llama.text.Printable;
import java.util.Locale;

/// JSON as the commands write it, UTF-8, indented in files, and as they read what a person wrote:
/// strictly, each key once, and nested no deeper than anybody writes.
public final class Json {
  private static final int MAX_DEPTH = 64;

  private static final ObjectMapper READER =
      new ObjectMapper(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final ObjectMapper LINE = new ObjectMapper();
  private static final ObjectMapper INDENTED =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private Json() {}

  /// @param tree of maps, lists, texts, numbers and nulls
  public static byte[] bytes(Object tree) {
    try {
      return INDENTED.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e); // such trees can always be written
    }
  }

  /// A tree of maps, lists, texts, numbers, booleans and nulls.
  ///
  /// @param where what messages call the text
  /// @throws UserException if it is no JSON
  public static Object read(String text, String where) {
    try {
      return READER.readValue(text, Object.class);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw new UserException(
          String.format(
              Locale.ROOT,
              "%s: no JSON%s: %s",
              where,
              at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")",
              Printable.message(e.getOriginalMessage())),
          e);
    }
  }

  /// [#bytes] in one line.
  public static String line(Object tree) {
    try {
      return LINE.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e); // such trees can always be written
    }
  }
}
