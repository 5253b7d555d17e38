package dev.quern.llama.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.StopReason;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatOptions;
import dev.quern.llama.tokenizer.ChatPrompt;
import dev.quern.llama.tokenizer.ChatTemplate;
import dev.quern.llama.tokenizer.PublishedTemplates;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a listener hears of calls that come in parts, and of thoughts, token by token.
class ReplyPartsTest {
  private static final String QWEN = "Qwen-Qwen3-0.6B";
  private static final String LLAMA = "meta-llama-Llama-3.2-3B-Instruct";
  private static final String MISTRAL = "Mistral-Small-3.2-24B-Instruct-2506";
  private static final String R1 = "deepseek-ai-DeepSeek-R1-Distill-Llama-8B";

  private static Map<String, String> templates;

  @BeforeAll
  static void read() throws IOException {
    templates = PublishedTemplates.all();
  }

  private static Tokenizer tokenizer(String template) {
    return PublishedTemplates.tokenizerFor(templates.get(template + ".jinja"));
  }

  private static ChatTemplate template(String name, Tokenizer tokenizer) {
    return PublishedTemplates.template(tokenizer, templates.get(name + ".jinja"));
  }

  /// A reader that has heard a reply, which may go on.
  private static ReplyReader read(
      String template, Tokenizer tokenizer, Thoughts thoughts, HeardReply heard, String reply) {
    ReplyReader reader =
        new ReplyReader(
            tokenizer,
            FrameLearner.of(template(template, tokenizer), tokenizer, Map.of()).frame(),
            thoughts,
            heard);
    feed(reader, tokenizer, reply);
    return reader;
  }

  private static void feed(ReplyReader reader, Tokenizer tokenizer, String reply) {
    for (int token : tokenizer.encode(reply, true)) {
      String text = tokenizer.isHidden(token) ? "" : tokenizer.decode(new int[] {token});
      reader.accept(new Piece(text, List.of(token), List.of()));
    }
  }

  private static void end(ReplyReader reader) {
    reader.end(new Generation(List.of(), StopReason.END_OF_TEXT, 1, 0, 0, 0, 0, List.of()));
  }

  private static void assertHeard(
      String template, Thoughts thoughts, String reply, String... expected) {
    HeardReply heard = new HeardReply();
    end(read(template, tokenizer(template), thoughts, heard, reply));
    assertEquals(List.of(expected), heard.log(), reply);
  }

  private static void assertHeardSoFar(String template, String reply, String... expected) {
    HeardReply heard = new HeardReply();
    read(template, tokenizer(template), Thoughts.NONE, heard, reply);
    assertEquals(List.of(expected), heard.log(), reply);
  }

  @Test
  void aCallIsHeardAsItComes() {
    String begun = "Well.\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": [1, \"}";
    assertHeardSoFar(QWEN, begun, "text Well.", "begin 0 f", "arguments 0 {\"a\": [1, \"}");
    assertHeardSoFar(
        LLAMA, "{\"name\": \"f\", \"parameters\": {\"a", "begin 0 f", "arguments 0 {\"a");
    assertHeardSoFar(
        MISTRAL, "[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{", "begin 0 f", "arguments 0 {");
    assertHeardSoFar(QWEN, "<tool_call>\n{\"name\": \"f\", \"arguments\": ");
    assertHeardSoFar(LLAMA, "{\"type\": \"function\", \"name\": \"f\"");
  }

  @Test
  void callsHaveNumbersAndKeepTheirIds() {
    HeardReply heard = new HeardReply();
    String two =
        "[TOOL_CALLS]f[CALL_ID]abcdefghi[ARGS]{\"a\": 1}[TOOL_CALLS]g[CALL_ID]abcdefghj[ARGS]{}";
    end(read(MISTRAL, tokenizer(MISTRAL), Thoughts.NONE, heard, two));
    assertEquals("abcdefghj", heard.inParts(1).id());
    assertEquals(
        List.of(
            "begin 0 f", "arguments 0 {\"a\": 1}", "end 0", "begin 1 g", "arguments 1 {}", "end 1"),
        heard.log());
    HeardReply own = new HeardReply();
    String call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>";
    ReplyReader reader = read(QWEN, tokenizer(QWEN), Thoughts.NONE, own, call + "\n" + call);
    end(reader);
    assertEquals(reader.calls(), List.of(own.inParts(0), own.inParts(1)));
  }

  @Test
  void whatStandsBehindTheArgumentsComesInOnePart() {
    assertHeardSoFar(QWEN, "<tool_call>\n{\"arguments\": {\"a\": 1}, \"name\": \"f\"");
    assertHeard(
        QWEN,
        Thoughts.NONE,
        "<tool_call>\n{\"arguments\": {\"a\": 1}, \"name\": \"f\"}\n</tool_call>",
        "begin 0 f",
        "arguments 0 {\"a\":1}",
        "end 0");
  }

  @Test
  void anIdBehindTheArgumentsIsWaitedFor() {
    ToolFrame.Keys keys = new ToolFrame.Keys("name", "arguments", Optional.of("id"));
    ToolFrame.Call call =
        new ToolFrame.Call(Optional.of(keys), "{\"name\": \"", "\", \"arguments\": ", "}");
    Tokenizer tokenizer = tokenizer(QWEN);
    HeardReply heard = new HeardReply();
    ReplyReader reader =
        new ReplyReader(
            tokenizer,
            Optional.of(new ToolFrame("[C]", call, Optional.empty(), "")),
            Thoughts.NONE,
            heard);
    feed(reader, tokenizer, "[C]{\"name\": \"f\", \"arguments\": {\"a\": 1}");
    assertEquals(List.of(), heard.log());
    feed(reader, tokenizer, ", \"id\": \"abc\"}");
    end(reader);
    assertEquals(List.of("begin 0 f", "arguments 0 {\"a\":1}", "end 0"), heard.log());
    assertEquals("abc", heard.inParts(0).id());
  }

  @Test
  void aCallThatBreaksIsToldSoAndIsText() {
    String broken = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": }}\n</tool_call>\n";
    assertHeard(
        QWEN,
        Thoughts.NONE,
        broken + "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>",
        "begin 0 f",
        "arguments 0 {\"a\": }",
        "break 0",
        "text " + broken.strip(),
        "begin 1 g",
        "arguments 1 {}",
        "end 1");
    String cut = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"x";
    assertHeard(
        QWEN, Thoughts.NONE, cut, "begin 0 f", "arguments 0 {\"a\": \"x", "break 0", "text " + cut);
    String twice =
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {}, \"name\": \"g\"}\n</tool_call>";
    HeardReply heard = new HeardReply();
    ReplyReader reader = read(QWEN, tokenizer(QWEN), Thoughts.NONE, heard, twice);
    end(reader);
    assertEquals(
        List.of("begin 0 f", "arguments 0 {}", "break 0"), heard.log().subList(0, 3), twice);
  }

  @Test
  void thoughtsAreNoText() {
    String reply = "<think>\nHm, <tool_call>\n</think>\n\nYes.\n";
    assertHeard(QWEN, Thoughts.POSSIBLE, reply, "thought Hm, <tool_call>", "text Yes.\n");
    assertHeard(QWEN, Thoughts.OPEN, "\nHm.\n</think>\nYes", "thought Hm.", "text Yes");
    assertHeard(QWEN, Thoughts.OPEN, "\nHm.\n</thi", "thought Hm.\n</thi");
    assertHeard(QWEN, Thoughts.POSSIBLE, "\n\n<think>a < b</think>c", "thought a < b", "text c");
    assertHeard(QWEN, Thoughts.POSSIBLE, "<think>\n\n</think>\n\n");
    assertHeard(
        QWEN,
        Thoughts.POSSIBLE,
        "<think>{\"name\"}</think>\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>",
        "thought {\"name\"}",
        "begin 0 f",
        "arguments 0 {}",
        "end 0");
    assertHeard(
        LLAMA,
        Thoughts.POSSIBLE,
        "<think>Hm</think>\n{\"name\": \"f\", \"parameters\": {}}",
        "thought Hm",
        "begin 0 f",
        "arguments 0 {}",
        "end 0");
  }

  @Test
  void whatIsNotAtTheBeginningIsText() {
    for (String reply : List.of("So <think>a</think>", "<thin", "<thinking>a</think>", " ", "")) {
      HeardReply heard = new HeardReply();
      ReplyReader reader = read(QWEN, tokenizer(QWEN), Thoughts.POSSIBLE, heard, reply);
      end(reader);
      assertEquals(reply, String.join("", heard.texts()));
      assertEquals(0, reader.thoughtTokens());
    }
    assertHeard(QWEN, Thoughts.NONE, "<think>a</think>b", "text <think>a</think>b");
  }

  /// In some vocabularies the frame's tags are control tokens, which have no text.
  @Test
  void theFrameMayBeOfControlTokens() {
    String source = templates.get(QWEN + ".jinja");
    Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source, List.of("<think>", "</think>"));
    HeardReply heard = new HeardReply();
    ReplyReader reader =
        read(QWEN, tokenizer, Thoughts.POSSIBLE, heard, "<think>\nHm.\n</think>\n\nYes");
    end(reader);
    assertEquals(List.of("thought Hm.", "text Yes"), heard.log());
    assertEquals("Hm.", reader.thoughts());
    assertEquals("Yes", reader.text());
    assertEquals(7, reader.thoughtTokens(), "two tags, three characters, two line ends");
  }

  @Test
  void onlyATemplateThatHasTheFrameHasThoughts() {
    assertEquals(Thoughts.POSSIBLE, thoughts(QWEN, ChatOptions.defaults()));
    ChatOptions off = ChatOptions.defaults().withVariable("enable_thinking", false);
    assertEquals(Thoughts.POSSIBLE, thoughts(QWEN, off), "the prompt has closed the frame");
    assertEquals(Thoughts.OPEN, thoughts(R1, ChatOptions.defaults()));
    assertEquals(Thoughts.NONE, thoughts(LLAMA, ChatOptions.defaults()));
    assertEquals(Thoughts.NONE, thoughts(MISTRAL, ChatOptions.defaults()));
  }

  private static Thoughts thoughts(String name, ChatOptions options) {
    ChatTemplate template = template(name, tokenizer(name));
    ChatPrompt prompt = template.render(List.of(ChatMessage.user("<think>")), options);
    return Thoughts.of(template, prompt);
  }
}
