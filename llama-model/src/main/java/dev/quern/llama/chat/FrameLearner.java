package dev.quern.llama.chat;

import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.Tokenizer;
import dev.quern.llama.tokenizer.TokenizerException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Asks a template how it writes tool calls, as llama.cpp's newest chat parser does: it is run on a
/// conversation with trial calls, and what it writes around their known names and arguments, and
/// does not write around a known text, is the frame.
final class FrameLearner {
  /// What was learned.
  ///
  /// @param refusal why there is no frame
  /// @param content of a message that calls tools and says nothing: some templates (Qwen3's) refuse
  ///   none and take an empty one
  record Learned(Optional<ToolFrame> frame, String refusal, Optional<String> content) {}

  private static final String TEXT = "Zq7text"; // that nobody looks for, and no name begins like
  private static final String FIRST = "e03b9first";
  private static final String SECOND = "e03b9second";
  private static final String FIRST_ID = "e03b9id01"; // of 9 characters, as Mistral's must be
  private static final String SECOND_ID = "e03b9id02";
  private static final String ARGUMENTS = "{\"e03b9key\": \"e03b9value\"}";
  private static final String SCHEMA =
      "{\"type\": \"object\", \"properties\": {\"e03b9key\": {\"type\": \"string\", \"description\": \"\"}}, \"required\": [\"e03b9key\"]}";

  private static final Pattern WRITTEN_ARGUMENTS =
      Pattern.compile("\\{\\s*\"e03b9key\"\\s*:\\s*\"e03b9value\"\\s*\\}");
  private static final Pattern JSON_BEFORE = Pattern.compile("\\{\\s*\"(\\w+)\"\\s*:\\s*\"$");
  private static final Pattern JSON_MIDDLE = Pattern.compile("\"\\s*,\\s*\"(\\w+)\"\\s*:\\s*");
  private static final Pattern JSON_AFTER =
      Pattern.compile("\\s*(?:,\\s*\"(\\w+)\"\\s*:\\s*\"" + FrameText.ID + "\"\\s*)?\\}");

  /// Where a call stands in a rendering.
  private record Place(int name, int nameEnd, int arguments, int argumentsEnd) {}

  private final ChatTemplate template;
  private final Tokenizer tokenizer;
  private final ChatOptions options;
  private final Optional<String> content;

  private FrameLearner(
      ChatTemplate template,
      Tokenizer tokenizer,
      Map<String, Object> variables,
      Optional<String> content) {
    this.content = content;
    this.template = template;
    this.tokenizer = tokenizer;
    options =
        new ChatOptions(
            List.of(Tool.of(FIRST, TEXT, SCHEMA).values(), Tool.of(SECOND, TEXT, SCHEMA).values()),
            variables);
  }

  /// @param variables that the template is given
  static Learned of(ChatTemplate template, Tokenizer tokenizer, Map<String, Object> variables) {
    try {
      return new FrameLearner(template, tokenizer, variables, Optional.empty()).learned();
    } catch (TokenizerException _) { // tried again without what it refuses
      FrameLearner other = new FrameLearner(template, tokenizer, variables, Optional.of(""));
      try {
        return other.learned();
      } catch (TokenizerException e) {
        return other.none("it refuses a trial one: " + e.getMessage());
      }
    }
  }

  /// @throws TokenizerException where the template refuses the trial
  private Learned learned() {
    String said = rendered(ChatMessage.assistant(TEXT));
    String one = rendered(calls(ToolCall.of(FIRST_ID, FIRST, ARGUMENTS)));
    int from = FrameText.sharedStart(said, one);
    Optional<Place> place = place(one, FIRST, from);
    if (place.isEmpty()) {
      return none(
          one.indexOf(FIRST, from) < 0
              ? "it leaves out a trial one"
              : "it does not write the arguments as JSON behind the name");
    }
    Place p = place.get();
    String behind = said.substring(said.lastIndexOf(TEXT) + TEXT.length());
    int end = Math.max(p.argumentsEnd(), FrameText.sharedEnd(one, behind));
    String before = one.substring(from, p.name());
    String after = withoutEnd(one.substring(p.argumentsEnd(), end));
    ToolFrame.Call call = call(before, one.substring(p.nameEnd(), p.arguments()), after);
    String begin = before.substring(0, before.length() - call.before().length());
    if (begin.isBlank() && call.keys().isEmpty()) {
      return none("nothing marks a call");
    }
    String rest = after.substring(call.after().length()).stripTrailing();
    return two(new ToolFrame(begin, call, Optional.empty(), rest), from);
  }

  /// A frame, with what stands between two calls, if the template writes two.
  private Learned two(ToolFrame one, int from) {
    String both;
    try {
      both =
          rendered(
              calls(
                  ToolCall.of(FIRST_ID, FIRST, ARGUMENTS),
                  ToolCall.of(SECOND_ID, SECOND, ARGUMENTS)));
    } catch (TokenizerException e) { // it writes one at most
      return some(one);
    }
    Optional<Place> first = place(both, FIRST, from);
    Optional<Place> second = first.flatMap(p -> place(both, SECOND, p.argumentsEnd()));
    if (second.isEmpty()) { // it leaves out all but one
      return some(one);
    }
    ToolFrame.Call call = one.call();
    String middle = both.substring(first.get().nameEnd(), first.get().arguments());
    String other = both.substring(second.get().nameEnd(), second.get().arguments());
    if (!middle.equals(other)) { // a call's number, such as Kimi's
      middle = middle.replaceFirst("0", String.valueOf(FrameText.INDEX));
      other = other.replaceFirst("1", String.valueOf(FrameText.INDEX));
      if (!middle.equals(other)) {
        return none("it writes two trial ones in two ways");
      }
    }
    int behind = first.get().argumentsEnd() + call.after().length();
    int until = second.get().name() - call.before().length();
    if (behind > until
        || !both.startsWith(call.after(), first.get().argumentsEnd())
        || !both.startsWith(call.before(), until)) {
      return none("it writes two trial ones in two ways");
    }
    return some(
        new ToolFrame(
            one.begin(),
            new ToolFrame.Call(call.keys(), call.before(), middle, call.after()),
            Optional.of(both.substring(behind, until)),
            one.end()));
  }

  private Learned some(ToolFrame frame) {
    return new Learned(Optional.of(frame), "", content);
  }

  private Learned none(String refusal) {
    return new Learned(Optional.empty(), refusal, content);
  }

  private ChatMessage calls(ToolCall... calls) {
    return new ChatMessage("assistant", content, List.of(calls), Map.of());
  }

  private String rendered(ChatMessage reply) {
    List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.user("e03b9question")));
    messages.add(reply);
    return FrameText.marked(template.render(messages, options).text(), tokenizer)
        .replace(FIRST_ID, String.valueOf(FrameText.ID))
        .replace(SECOND_ID, String.valueOf(FrameText.ID));
  }

  private static Optional<Place> place(String text, String tool, int from) {
    int name = text.indexOf(tool, from);
    Matcher arguments = WRITTEN_ARGUMENTS.matcher(text);
    return name < 0 || !arguments.find(name)
        ? Optional.empty()
        : Optional.of(new Place(name, name + tool.length(), arguments.start(), arguments.end()));
  }

  private static ToolFrame.Call call(String before, String middle, String after) {
    Matcher head = JSON_BEFORE.matcher(before);
    Matcher between = JSON_MIDDLE.matcher(middle);
    Matcher tail = JSON_AFTER.matcher(after);
    if (!head.find() || !between.matches() || !tail.lookingAt()) {
      return new ToolFrame.Call(Optional.empty(), "", middle, "");
    }
    return new ToolFrame.Call(
        Optional.of(
            new ToolFrame.Keys(
                head.group(1), between.group(1), Optional.ofNullable(tail.group(1)))),
        head.group(),
        middle,
        tail.group());
  }

  /// What stands before a token that ends the turn.
  private String withoutEnd(String text) {
    int end = text.length();
    for (int id : tokenizer.endOfGeneration()) {
      String name = tokenizer.text(id);
      int at = text.indexOf(tokenizer.isHidden(id) ? FrameText.token(name) : name);
      end = at < 0 ? end : Math.min(end, at);
    }
    return text.substring(0, end);
  }
}
