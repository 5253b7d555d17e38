package dev.quern.llama.chat;

import dev.quern.llama.Piece;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a listener has heard, in its order; parts of one kind that follow one another are one line.
final class HeardReply implements ChatListener {
  private final List<String> log = new ArrayList<>();
  private final List<String> texts = new ArrayList<>();
  private final Map<Integer, List<String>> parts = new LinkedHashMap<>(); // id, name, arguments

  /// `text ...`, `thought ...`, `begin INDEX NAME`, `arguments INDEX ...`, `end INDEX NAME...`,
  /// `break INDEX`.
  List<String> log() {
    return List.copyOf(log);
  }

  /// Those that are not empty.
  List<String> texts() {
    return List.copyOf(texts);
  }

  /// A call as its parts tell it.
  ToolCall inParts(int index) {
    List<String> told = parts.get(index);
    return ToolCall.of(told.get(0), told.get(1), told.get(2));
  }

  private void add(String kind, String text) {
    if (!log.isEmpty() && log.getLast().startsWith(kind)) {
      log.set(log.size() - 1, log.getLast() + text);
    } else {
      log.add(kind + text);
    }
  }

  @Override
  public void text(Piece piece) {
    if (!piece.text().isEmpty()) {
      texts.add(piece.text());
      add("text ", piece.text());
    }
  }

  @Override
  public void thought(Piece piece) {
    if (!piece.text().isEmpty()) {
      add("thought ", piece.text());
    }
  }

  @Override
  public void callBegins(int index, String id, String name) {
    parts.put(index, new ArrayList<>(List.of(id, name, "")));
    log.add("begin " + index + " " + name);
  }

  @Override
  public void callArguments(int index, String part) {
    parts.get(index).set(2, parts.get(index).get(2) + part);
    add("arguments " + index + " ", part);
  }

  @Override
  public void callEnds(int index, ToolCall call) {
    if (!call.equals(inParts(index))) {
      throw new AssertionError(call + " and in parts " + inParts(index));
    }
    log.add("end " + index);
  }

  @Override
  public void callBreaks(int index) {
    log.add("break " + index);
  }
}
