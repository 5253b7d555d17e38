package dev.quern.llama.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

/// Values as JSON.
public final class JsonWriter {
  private static final JsonFactory FACTORY = new JsonFactory();

  private JsonWriter() {}

  /// A value in one line, without blanks.
  ///
  /// @param value Map, List, String, Number, Boolean or null
  public static String text(Object value) {
    StringWriter out = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(out)) {
      write(json, value);
    } catch (IOException e) { // memory has none
      throw new UncheckedIOException(e);
    }
    return out.toString();
  }

  private static void write(JsonGenerator json, Object value) throws IOException {
    switch (value) {
      case null -> json.writeNull();
      case Map<?, ?> map -> {
        json.writeStartObject();
        for (Map.Entry<?, ?> e : map.entrySet()) {
          json.writeFieldName((String) e.getKey());
          write(json, e.getValue());
        }
        json.writeEndObject();
      }
      case List<?> list -> {
        json.writeStartArray();
        for (Object element : list) {
          write(json, element);
        }
        json.writeEndArray();
      }
      case String s -> json.writeString(s);
      case Boolean b -> json.writeBoolean(b);
      case Double d -> json.writeNumber(d);
      case Float f -> json.writeNumber(f);
      case BigDecimal n -> json.writeNumber(n);
      case Number n -> json.writeNumber(n.longValue());
      default -> throw new IllegalArgumentException("JSON: a " + value.getClass().getName());
    }
  }
}
