package dev.quern.spark;

import dev.quern.llama.error.RequestException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/// Names of columns, and what must be in them.
///
/// @param prompt texts, or messages
/// @param key empty where seeds follow from prompts
/// @param result the one that is added
record BatchColumns(String prompt, Optional<String> key, String result) {
  static final StructType RESULT =
      new StructType()
          .add("text", DataTypes.StringType)
          .add("prompt_tokens", DataTypes.IntegerType)
          .add("completion_tokens", DataTypes.IntegerType)
          .add("stop", DataTypes.StringType)
          .add("milliseconds", DataTypes.DoubleType)
          .add("prefill_milliseconds", DataTypes.DoubleType)
          .add("decode_milliseconds", DataTypes.DoubleType)
          .add("provider", DataTypes.StringType)
          .add("seed", DataTypes.LongType)
          .add("error", DataTypes.StringType);

  private static final Set<DataType> KEYS =
      Set.of(
          DataTypes.StringType,
          DataTypes.ByteType,
          DataTypes.ShortType,
          DataTypes.IntegerType,
          DataTypes.LongType);

  /// @throws RequestException where a column is absent or of another type, or the added one is
  ///   there
  RowReader reader(StructType schema) {
    if (Arrays.asList(schema.fieldNames()).contains(result)) {
      throw new RequestException(
          String.format(
              Locale.ROOT,
              "column %s: there already, expected a new name for what is added: resultColumn(...)",
              result));
    }
    StructField text = require(prompt, schema, "the table");
    Optional<StructField> keys = key.map(k -> require(k, schema, "the table"));
    keys.filter(k -> !KEYS.contains(k.dataType()))
        .ifPresent(k -> {
          throw wrong(k, "a string or a whole number, from which a row's seed follows");
        });
    return new RowReader(
        schema.fieldIndex(prompt),
        keys.map(k -> schema.fieldIndex(k.name())).orElse(RowReader.NO_KEY),
        messages(text));
  }

  /// Where role and content are in a message.
  private static RowReader.Messages messages(StructField prompt) {
    if (prompt.dataType().equals(DataTypes.StringType)) {
      return RowReader.Messages.NONE;
    }
    if (prompt.dataType() instanceof ArrayType array
        && array.elementType() instanceof StructType message) {
      List<String> names = List.of(message.fieldNames());
      boolean texts =
          Arrays.stream(message.fields()).allMatch(f -> f.dataType().equals(DataTypes.StringType));
      if (names.size() == 2 && names.contains("role") && names.contains("content") && texts) {
        return new RowReader.Messages(message.fieldIndex("role"), message.fieldIndex("content"));
      }
    }
    throw wrong(prompt, "string, or array<struct<role: string, content: string>>");
  }

  private static RequestException wrong(StructField column, String expected) {
    return new RequestException(
        String.format(
            Locale.ROOT,
            "column %s: of type %s, expected %s",
            column.name(),
            column.dataType().simpleString(),
            expected));
  }

  /// @param where what messages call the table
  static StructField require(String name, StructType schema, String where) {
    return Arrays.stream(schema.fields())
        .filter(f -> f.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new RequestException(
                String.format(
                    Locale.ROOT,
                    "column %s: not in %s, expected one of %s",
                    name,
                    where,
                    String.join(", ", schema.fieldNames()))));
  }

  String requireKey() {
    return key.orElseThrow(() ->
        new RequestException("no key column, expected one that tells rows apart: keyColumn(...)"));
  }

  StructType with(Dataset<Row> prompts) {
    return prompts.schema().add(result, RESULT, false);
  }

  /// A name as an expression, whatever is in it.
  static String quoted(String name) {
    return "`" + name.replace("`", "``") + "`";
  }
}
