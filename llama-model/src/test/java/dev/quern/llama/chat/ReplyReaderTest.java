package dev.quern.llama.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.StopReason;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.PublishedTemplates;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Replies as models of several families write them, token by token.
class ReplyReaderTest {
  private static final String QWEN = "Qwen-Qwen2.5-7B-Instruct";
  private static final String LLAMA = "meta-llama-Llama-3.2-3B-Instruct";
  private static final String MISTRAL = "Mistral-Small-3.2-24B-Instruct-2506";
  private static final String KIMI = "moonshotai-Kimi-K2";
  private static final String FUNCTIONARY = "meetkai-functionary-medium-v3.1";

  private static final Generation END =
      new Generation(List.of(), StopReason.END_OF_TEXT, 1, 0, 0, 0, 0, List.of());

  private static Map<String, String> templates;

  @BeforeAll
  static void read() throws IOException {
    templates = PublishedTemplates.all();
  }

  /// What is read out of a reply.
  ///
  /// @param calls `name{arguments}`
  private record Read(String text, List<String> calls, List<Piece> pieces, List<ToolCall> raw) {}

  private static Read read(String template, String reply) {
    String source = templates.get(template + ".jinja");
    Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source);
    Optional<ToolFrame> frame =
        FrameLearner.of(PublishedTemplates.template(tokenizer, source), tokenizer, Map.of())
            .frame();
    List<Piece> pieces = new ArrayList<>();
    ReplyReader reader = new ReplyReader(tokenizer, frame, Thoughts.NONE, pieces::add);
    for (int token : tokenizer.encode(reply, true)) {
      String text = tokenizer.isHidden(token) ? "" : tokenizer.decode(new int[] {token});
      reader.accept(new Piece(text, List.of(token), List.of()));
    }
    reader.end(END);
    assertEquals(reader.text(), pieces.stream().map(Piece::text).collect(Collectors.joining()));
    return new Read(
        reader.text(),
        reader.calls().stream().map(c -> c.name() + c.argumentsJson()).toList(),
        pieces,
        reader.calls());
  }

  private static void assertRead(String template, String reply, String text, String... calls) {
    Read read = read(template, reply);
    assertEquals(List.of(calls), read.calls(), reply);
    assertEquals(text, read.text(), reply);
  }

  @Test
  void aCallTwoCallsAndTextBeforeThem() {
    assertRead(
        QWEN,
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
        "",
        "f{\"a\":1}");
    assertRead(
        QWEN,
        "Let me see.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", \"arguments\": {\"b\": [1, {\"c\": null}]}}\n</tool_call>\n",
        "Let me see.",
        "f{}",
        "g{\"b\":[1,{\"c\":null}]}");
    assertRead(LLAMA, "{\"name\": \"f\", \"parameters\": {\"a\": \"x\"}}", "", "f{\"a\":\"x\"}");
    assertRead(
        MISTRAL,
        "Well. [TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{\"a\": true}[TOOL_CALLS]g[CALL_ID]abcdefghj[ARGS]{}",
        "Well.",
        "f{\"a\":true}",
        "g{}");
    assertEquals(
        "abcdefghi",
        read(MISTRAL, "[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{}").raw().getFirst().id());
    assertRead(
        KIMI,
        "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_call_begin|>functions.g:1<|tool_call_argument_begin|>{\"a\": 2}<|tool_call_end|><|tool_calls_section_end|>",
        "",
        "f{}",
        "g{\"a\":2}");
    assertRead(
        FUNCTIONARY,
        "<function=f>{\"a\": 1}</function><function=g>{}</function>",
        "",
        "f{\"a\":1}",
        "g{}");
  }

  @Test
  void whiteSpaceOrderAndEndsMayDiffer() {
    assertRead(
        QWEN,
        "<tool_call>{\"arguments\":{\"a\":1},\n \"name\":\"f\"}</tool_call>",
        "",
        "f{\"a\":1}");
    assertRead(QWEN, "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}", "", "f{}");
    assertRead(
        QWEN,
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\nSo be it.",
        "So be it.",
        "f{}");
    assertRead(LLAMA, "\n\n{ \"name\":\"f\",\"parameters\":{} }\n", "", "f{}");
  }

  @Test
  void signsInStringsAreNoBrackets() {
    assertRead(
        QWEN,
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}{\\\"]</tool_call>\\\\\"}}\n</tool_call>",
        "",
        "f{\"a\":\"}{\\\"]</tool_call>\\\\\"}");
  }

  /// Of a tool that was not offered too: whoever runs tools decides.
  @Test
  void whatIsBrokenOrCutIsText() {
    for (String broken :
        List.of(
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": }}\n</tool_call>",
            "<tool_call>\n{\"name\": \"f\", \"arguments\": \"x\"}\n</tool_call>",
            "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1",
            "<tool_call>\nf\n</tool_call>",
            "<tool_call> is how I call",
            "<tool_",
            "a < b <tool_calls>",
            "{\"name\": \"f\", \"arguments\": {}}")) {
      assertRead(QWEN, broken, broken);
    }
    assertRead(
        QWEN,
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", \"ar",
        "<tool_call>\n{\"name\": \"g\", \"ar",
        "f{}");
    assertRead(LLAMA, "{\"answer\": 42}", "{\"answer\": 42}");
    assertRead(
        LLAMA,
        "So: {\"name\": \"f\", \"parameters\": {}}",
        "So: {\"name\": \"f\", \"parameters\": {}}");
    assertRead(MISTRAL, "[TOOL_CALLS]f[CALL_ID]abc", "f" + "abc");
  }

  /// The letters of a control token are none.
  @Test
  void lettersOfAControlTokenAreText() {
    String source = templates.get(MISTRAL + ".jinja");
    Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source);
    Optional<ToolFrame> frame =
        FrameLearner.of(PublishedTemplates.template(tokenizer, source), tokenizer, Map.of())
            .frame();
    ReplyReader reader = new ReplyReader(tokenizer, frame, Thoughts.NONE, _ -> {});
    String letters = "[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{}";
    for (int token : tokenizer.encode(letters, false)) {
      reader.accept(new Piece(tokenizer.decode(new int[] {token}), List.of(token), List.of()));
    }
    reader.end(END);
    assertEquals(List.of(), reader.calls());
    assertEquals(letters, reader.text());
  }

  /// Text is not held back longer than it may be a call's beginning.
  @Test
  void textComesAsSoonAsItMay() {
    List<Piece> pieces = read(QWEN, "ab <tool> c").pieces();
    assertEquals(
        List.of("a", "b", " ", "<", "t", "o", "o", "l", ">", " ", "c"),
        pieces.stream().map(Piece::text).filter(t -> !t.isEmpty()).toList());
    assertEquals("{\"answer\": [1, 2", untilNow(LLAMA, "{\"answer\": [1, 2"));
    assertEquals("", untilNow(LLAMA, "{\"name\": \"f\", \"par"));
    assertEquals("ab", untilNow(QWEN, "ab <tool_c"));
  }

  /// What was handed on of a reply that has not ended.
  private static String untilNow(String template, String reply) {
    String source = templates.get(template + ".jinja");
    Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source);
    StringBuilder heard = new StringBuilder();
    ReplyReader reader =
        new ReplyReader(
            tokenizer,
            FrameLearner.of(PublishedTemplates.template(tokenizer, source), tokenizer, Map.of())
                .frame(),
            Thoughts.NONE,
            piece -> heard.append(piece.text()));
    for (int token : tokenizer.encode(reply, true)) {
      reader.accept(new Piece(tokenizer.decode(new int[] {token}), List.of(token), List.of()));
    }
    return heard.toString();
  }
}
