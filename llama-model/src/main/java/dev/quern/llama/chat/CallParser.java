package dev.quern.llama.chat;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Json;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Reads tool calls at a place of a reply that may not be complete. White space may differ from the
/// frame's, and a call that is a JSON object may have its members in any order.
final class CallParser {
  private static final Pattern NAME = Pattern.compile("\\s*(?<name>[A-Za-z0-9_./-]{1,128})");
  private static final Pattern FIRST_KEY = Pattern.compile("\\{\\s*\"([^\"\\\\]*)\"");
  private static final String ID_CHARACTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  private static final int ID_LENGTH = 9; // which Mistral's templates insist on
  private static final SecureRandom RANDOM = new SecureRandom();

  private static final int NO = -1;
  private static final int MORE = -2;

  /// What stands at a place.
  ///
  /// @param calls none where it is text
  /// @param end behind them and their frame; [#MORE] where more text must tell
  record Found(List<ToolCall> calls, int end) {
    private static final Found TEXT = new Found(List.of(), NO);
    private static final Found OPEN = new Found(List.of(), MORE);

    boolean isOpen() {
      return end == MORE;
    }

    boolean isText() {
      return calls.isEmpty() && !isOpen();
    }
  }

  /// @param call null where there is none
  /// @param end behind it; [#NO] or [#MORE] where there is none
  private record One(ToolCall call, int end) {}

  private final ToolFrame frame;
  private final Pattern begin;
  private final Pattern middle;
  private final Optional<Pattern> between;
  private final Pattern end;

  CallParser(ToolFrame frame) {
    this.frame = frame;
    begin = FrameText.pattern(frame.begin());
    middle = FrameText.pattern(frame.call().middle());
    between = frame.between().map(FrameText::pattern);
    end = FrameText.pattern(frame.end());
  }

  /// @param from where the frame's beginning is
  /// @param last whether there will be no more text
  Found read(CharSequence text, int from, boolean last) {
    int at = match(begin, text, from);
    if (at < 0) {
      return at == MORE && !last ? Found.OPEN : Found.TEXT;
    }
    List<ToolCall> calls = new ArrayList<>();
    int good = NO; // behind the last call
    while (true) {
      One one = call(text, at);
      if (one.end() == MORE && !last) {
        return Found.OPEN;
      }
      if (one.call() == null) {
        break;
      }
      calls.add(one.call());
      good = one.end();
      at = between.map(pattern -> match(pattern, text, one.end())).orElse(NO);
      if (at == MORE && !last) {
        return Found.OPEN;
      }
      if (at < 0) {
        break;
      }
    }
    if (calls.isEmpty()) {
      return Found.TEXT;
    }
    int behind = match(end, text, good);
    if (behind == MORE && !last) {
      return Found.OPEN;
    }
    return new Found(calls, behind < 0 ? good : behind);
  }

  private One call(CharSequence text, int from) {
    return frame.call().keys().isPresent()
        ? object(text, from, frame.call().keys().get())
        : named(text, from);
  }

  /// A call that is a JSON object.
  private static One object(CharSequence text, int from, ToolFrame.Keys keys) {
    int at = behindSpace(text, from);
    if (at == text.length()) {
      return new One(null, MORE);
    }
    if (text.charAt(at) != '{') {
      return new One(null, NO);
    }
    int end = endOfObject(text, at);
    if (end == MORE) {
      return new One(null, mayBeCall(text, at, keys) ? MORE : NO);
    }
    Map<String, Object> object = parsed(text, at, end).orElse(Map.of());
    if (object.get(keys.name()) instanceof String name
        && object.get(keys.arguments()) instanceof Map<?, ?> arguments) {
      Object id = keys.id().map(object::get).orElse(null);
      return new One(call(id instanceof String s ? s : newId(), name, arguments), end);
    }
    return new One(null, NO);
  }

  /// Whether an object that is not complete begins as a call does, so that an answer in JSON is not
  /// held back to its end.
  private static boolean mayBeCall(CharSequence text, int from, ToolFrame.Keys keys) {
    Matcher first = FIRST_KEY.matcher(text).region(from, text.length());
    Set<String> known = new TreeSet<>(Set.of("type", keys.name(), keys.arguments()));
    keys.id().ifPresent(known::add);
    return !first.lookingAt() || known.contains(first.group(1));
  }

  /// A call whose name stands before its arguments.
  private One named(CharSequence text, int from) {
    Matcher name = NAME.matcher(text).region(from, text.length());
    if (!name.lookingAt()) {
      return new One(null, name.hitEnd() ? MORE : NO);
    }
    Matcher behind = middle.matcher(text).region(name.end(), text.length());
    if (!behind.lookingAt()) {
      return new One(null, behind.hitEnd() ? MORE : NO);
    }
    int at = behindSpace(text, behind.end());
    if (at == text.length()) {
      return new One(null, MORE);
    }
    int end = text.charAt(at) == '{' ? endOfObject(text, at) : NO;
    if (end < 0) {
      return new One(null, end);
    }
    Optional<Map<String, Object>> arguments = parsed(text, at, end);
    String id = behind.namedGroups().containsKey("id") ? behind.group("id") : newId();
    return arguments
        .map(members -> new One(call(id, name.group("name"), members), end))
        .orElse(new One(null, NO));
  }

  private static ToolCall call(String id, String name, Map<?, ?> arguments) {
    @SuppressWarnings("unchecked") // Json makes no other maps
    Map<String, Object> members = (Map<String, Object>) arguments;
    return new ToolCall(id, name, members);
  }

  private static int match(Pattern part, CharSequence text, int from) {
    Matcher matcher = part.matcher(text).region(from, text.length());
    if (matcher.lookingAt()) {
      return matcher.end();
    }
    return matcher.hitEnd() ? MORE : NO;
  }

  private static int behindSpace(CharSequence text, int from) {
    int at = from;
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  /// Where a JSON object ends, by its brackets and strings.
  private static int endOfObject(CharSequence text, int from) {
    int depth = 0;
    boolean string = false;
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (string) {
        i += c == '\\' ? 1 : 0;
        string = c != '"';
      } else {
        string = c == '"';
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        if (depth == 0) {
          return i + 1;
        }
      }
    }
    return MORE;
  }

  /// An object's members; none where it is no JSON, or has control tokens.
  private static Optional<Map<String, Object>> parsed(CharSequence text, int from, int to) {
    String json = text.subSequence(from, to).toString();
    if (FrameText.hasToken(json)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Json.object("tool call", json, RequestException::new));
    } catch (RequestException _) { // broken: it is text
      return Optional.empty();
    }
  }

  private static String newId() {
    StringBuilder id = new StringBuilder();
    for (int i = 0; i < ID_LENGTH; i++) {
      id.append(ID_CHARACTERS.charAt(RANDOM.nextInt(ID_CHARACTERS.length())));
    }
    return id.toString();
  }
}
