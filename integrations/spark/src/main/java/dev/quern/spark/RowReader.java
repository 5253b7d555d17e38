package dev.quern.spark;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.quern.llama.error.PromptException;
import dev.quern.llama.sampling.Seeds;
import dev.quern.llama.tokenizer.ChatMessage;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/// What a row asks for.
///
/// @param prompt its column's index
/// @param key likewise, or [#NO_KEY]
/// @param messages where roles and contents are in messages; [Messages#NONE] where prompts are
///   texts
record RowReader(int prompt, int key, Messages messages) implements Serializable {
  static final int NO_KEY = -1;

  /// Indexes of the fields of a message.
  record Messages(int role, int content) implements Serializable {
    static final Messages NONE = new Messages(-1, -1);
  }

  boolean hasMessages() {
    return !messages.equals(Messages.NONE);
  }

  /// A prompt that is a text.
  ///
  /// @throws PromptException where there is none
  String text(Row row) {
    requirePrompt(row);
    return row.getString(prompt);
  }

  /// @throws PromptException where there are none, or something is missing in one
  List<ChatMessage> messages(Row row) {
    requirePrompt(row);
    List<ChatMessage> read = new ArrayList<>();
    for (Object element : row.getList(prompt)) {
      if (!(element instanceof Row message)
          || message.isNullAt(messages.role())
          || message.isNullAt(messages.content())) {
        throw new PromptException(
            String.format(
                Locale.ROOT,
                "message %d: null, or without a role or a content, expected both",
                read.size()));
      }
      read.add(
          ChatMessage.of(
              message.getString(messages.role()), message.getString(messages.content())));
    }
    if (read.isEmpty()) {
      throw new PromptException("messages: none, expected at least one");
    }
    return read;
  }

  private void requirePrompt(Row row) {
    if (row.isNullAt(prompt)) {
      throw new PromptException("prompt: null, expected a text, or messages");
    }
  }

  /// The seed that follows from the row's key, or from its prompt where it has none. It is that of
  /// `run --prompts` for a line with this id.
  ///
  /// @param base of all rows
  /// @throws PromptException where the key is null
  long seed(Row row, long base) {
    return Seeds.of(base, json(row));
  }

  private String json(Row row) {
    if (key != NO_KEY) {
      if (row.isNullAt(key)) {
        throw new PromptException("key: null, expected one, from which the row's seed follows");
      }
      Object value = row.get(key);
      return value instanceof String text ? quoted(text) : String.valueOf(value);
    }
    if (!hasMessages()) {
      return quoted(text(row));
    }
    return messages(row).stream()
        .map(m -> quoted(m.role()) + ":" + quoted(m.content().orElseThrow()))
        .collect(Collectors.joining(",", "[", "]"));
  }

  private static String quoted(String text) {
    return "\"" + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + "\"";
  }
}
