package dev.quern.llama.chat;

import dev.quern.llama.error.RequestException;
import dev.quern.llama.text.Json;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
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
  private static final Pattern KEY = Pattern.compile("\\s*\"([^\"\\\\]*)\"\\s*:\\s*");
  private static final Pattern MEMBER =
      Pattern.compile(KEY.pattern() + "\"([A-Za-z0-9_./:-]{0,128})\"\\s*,");
  private static final String ID_CHARACTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  private static final int ID_LENGTH = 9; // which Mistral's templates insist on
  private static final SecureRandom RANDOM = new SecureRandom();

  private static final int NO = -1;
  private static final int MORE = -2;

  /// What stands at a place.
  ///
  /// @param calls that are whole; none where it is text
  /// @param part of a call that is not whole, if it is known to be one
  /// @param end behind them and their frame; [#MORE] where more text must tell
  record Found(List<ToolCall> calls, Optional<Part> part, int end) {
    private static final Found TEXT = new Found(List.of(), Optional.empty(), NO);

    boolean isOpen() {
      return end == MORE;
    }

    boolean isText() {
      return calls.isEmpty() && !isOpen();
    }
  }

  /// A call that has begun.
  ///
  /// @param arguments where they begin, with their bracket
  record Part(String id, String name, int arguments) {}

  /// @param call null where there is none
  /// @param part of one that is not whole; null where there is none
  /// @param end behind it; [#NO] or [#MORE] where there is none
  private record One(ToolCall call, Part part, int end) {
    private static final One NONE = new One(null, null, NO);
    private static final One UNKNOWN = new One(null, null, MORE);

    static One whole(ToolCall call, int end) {
      return new One(call, null, end);
    }

    static One open(Part part) {
      return new One(null, part, MORE);
    }
  }

  private final ToolFrame frame;
  private final Pattern begin;
  private final Pattern middle;
  private final Optional<Pattern> between;
  private final Pattern end;
  private final List<String> ids = new ArrayList<>(); // of calls that the model gives none

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
    Found found = frame(text, from, last);
    if (!found.isOpen()) {
      ids.clear();
    }
    return found;
  }

  private Found frame(CharSequence text, int from, boolean last) {
    int at = match(begin, text, from);
    if (at < 0) {
      return at == MORE && !last ? open(List.of()) : Found.TEXT;
    }
    List<ToolCall> calls = new ArrayList<>();
    int good = NO; // behind the last call
    while (true) {
      One one = call(text, at, calls.size());
      if (one.end() == MORE && !last) {
        return new Found(calls, Optional.ofNullable(one.part()), MORE);
      }
      if (one.call() == null) {
        break;
      }
      calls.add(one.call());
      good = one.end();
      at = between.map(pattern -> match(pattern, text, one.end())).orElse(NO);
      if (at == MORE && !last) {
        return open(calls);
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
      return open(calls);
    }
    return new Found(calls, Optional.empty(), behind < 0 ? good : behind);
  }

  private static Found open(List<ToolCall> calls) {
    return new Found(calls, Optional.empty(), MORE);
  }

  /// @param number of the call in its frame
  private One call(CharSequence text, int from, int number) {
    return frame.call().keys().isPresent()
        ? object(text, from, frame.call().keys().get(), number)
        : named(text, from, number);
  }

  /// A call that is a JSON object.
  private One object(CharSequence text, int from, ToolFrame.Keys keys, int number) {
    int at = behindSpace(text, from);
    if (at == text.length()) {
      return One.UNKNOWN;
    }
    if (text.charAt(at) != '{') {
      return One.NONE;
    }
    int end = endOfObject(text, at);
    if (end == MORE) {
      return mayBeCall(text, at, keys) ? One.open(part(text, at, keys, number)) : One.NONE;
    }
    Map<String, Object> object = parsed(text, at, end).orElse(Map.of());
    if (object.get(keys.name()) instanceof String name
        && object.get(keys.arguments()) instanceof Map<?, ?> arguments) {
      Object id = keys.id().map(object::get).orElse(null);
      return One.whole(call(id instanceof String s ? s : newId(number), name, arguments), end);
    }
    return One.NONE;
  }

  /// What an object that is not complete says of its call, once its arguments have begun; null
  /// where something is to come behind them, or may be.
  private Part part(CharSequence text, int from, ToolFrame.Keys keys, int number) {
    Map<String, String> known = new HashMap<>();
    Matcher member = MEMBER.matcher(text).region(from + 1, text.length());
    while (member.lookingAt()) {
      known.put(member.group(1), member.group(2));
      member.region(member.end(), text.length());
    }
    Matcher key = KEY.matcher(text).region(member.regionStart(), text.length());
    String name = known.get(keys.name());
    String id = keys.id().map(known::get).orElseGet(() -> newId(number));
    boolean begun =
        key.lookingAt()
            && key.group(1).equals(keys.arguments())
            && key.end() < text.length()
            && text.charAt(key.end()) == '{';
    return begun && name != null && (keys.id().isEmpty() || known.containsKey(keys.id().get()))
        ? new Part(id, name, key.end())
        : null;
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
  private One named(CharSequence text, int from, int number) {
    Matcher name = NAME.matcher(text).region(from, text.length());
    if (!name.lookingAt()) {
      return name.hitEnd() ? One.UNKNOWN : One.NONE;
    }
    Matcher behind = middle.matcher(text).region(name.end(), text.length());
    if (!behind.lookingAt()) {
      return behind.hitEnd() ? One.UNKNOWN : One.NONE;
    }
    int at = behindSpace(text, behind.end());
    if (at == text.length()) {
      return One.UNKNOWN;
    }
    if (text.charAt(at) != '{') {
      return One.NONE;
    }
    String id = behind.namedGroups().containsKey("id") ? behind.group("id") : newId(number);
    int end = endOfObject(text, at);
    if (end == MORE) {
      return One.open(new Part(id, name.group("name"), at));
    }
    return parsed(text, at, end)
        .map(members -> One.whole(call(id, name.group("name"), members), end))
        .orElse(One.NONE);
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
  ///
  /// @return negative where it has not ended
  static int endOfObject(CharSequence text, int from) {
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

  /// The same each time that a call is read, until its frame is whole.
  private String newId(int number) {
    while (ids.size() <= number) {
      StringBuilder id = new StringBuilder();
      for (int i = 0; i < ID_LENGTH; i++) {
        id.append(ID_CHARACTERS.charAt(RANDOM.nextInt(ID_CHARACTERS.length())));
      }
      ids.add(id.toString());
    }
    return ids.get(number);
  }
}
