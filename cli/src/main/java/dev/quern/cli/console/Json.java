package dev.quern.cli.console;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;

/// JSON as the commands write it: UTF-8, indented in files.
public final class Json {
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

  /// [#bytes] in one line.
  public static String line(Object tree) {
    try {
      return LINE.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e); // such trees can always be written
    }
  }
}
