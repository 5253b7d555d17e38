package dev.quern.cli.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.cli.ChangedModel;
import dev.quern.cli.Quern;
import dev.quern.cli.console.Console;
import dev.quern.cli.console.FullStream;
import dev.quern.cli.console.StandardStream;
import dev.quern.testing.SharedFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Conversations, some of which go wrong.
class ChatCommandTest {
  /// Does what Llama 2's template does, in another layout.
  private static final String LLAMA2 =
      """
      {%- if messages[0].role == 'system' %}
        {%- set loop_messages = messages[1:] %}
        {%- set system_message = messages[0].content %}
      {%- else %}
        {%- set loop_messages = messages %}
        {%- set system_message = false %}
      {%- endif %}
      {%- for message in loop_messages %}
        {%- if loop.index0 == 0 and system_message != false %}
          {%- set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message.content %}
        {%- else %}
          {%- set content = message.content %}
        {%- endif %}
        {%- if message.role == 'user' %}
          {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
        {%- elif message.role == 'assistant' %}
          {{- ' ' + content.strip() + ' ' + eos_token }}
        {%- endif %}
      {%- endfor %}
      """;

  @TempDir Path folder;

  @Test
  void aQuestionThatDoesNotFitIsNotTheLast() {
    Quern chat =
        Quern.withInput(
            "the day\n" + "x".repeat(100) + "\nthe mom\n", "chat", "-v", "-c", "60", "-n", "4");
    assertEquals(2, answers(chat), chat.err());
    assertEquals(1, refusals(chat), chat.err());
    assertTrue(chat.err().contains("shorten the prompt"), chat.err());
    assertEquals(1, chat.code(), "whoever did not watch must hear of it");
  }

  @Test
  void aFullContextHasAWayOn() {
    String question = "the day\n";
    Quern full = Quern.withInput(question.repeat(3), "chat", "-v", "-c", "40", "-n", "100");
    assertEquals(1, answers(full), full.err());
    assertEquals(2, refusals(full), full.err());
    assertTrue(full.err().contains("the context is full (40 positions): /clear"), full.err());
    assertEquals(1, full.code());

    Quern cleared =
        Quern.withInput(question + "/clear\r\n" + question, "chat", "-v", "-c", "40", "-n", "100");
    assertEquals(0, cleared.code(), cleared.err());
    assertEquals(2, answers(cleared), cleared.err());
    String[] replies = cleared.out().split("\n");
    assertEquals(replies[0], replies[1], "a new conversation does not know the old one");
  }

  @Test
  void whatLlama2CanNotSayIsRefusedAndTheChatGoesOn() throws IOException {
    Path model = llama2();
    Quern chat =
        Quern.withInput(
            "Hello\nWhat does [INST] mean?\n<<SYS>>\n[/INST]\nAnd then?\n",
            "chat",
            "-v",
            "-n",
            "4",
            "--model",
            model.toString());
    assertEquals(2, answers(chat), chat.err());
    assertEquals(3, refusals(chat), chat.err());
    assertTrue(chat.err().contains("contains [INST]"), chat.err());
    assertFalse(chat.err().contains("defect"), chat.err());
    assertEquals(1, chat.code());

    Quern system =
        Quern.withInput("Hi\n", "chat", "--system", "<</SYS>>", "--model", model.toString());
    assertEquals(1, system.code(), system.err());
    assertEquals(1, system.err().lines().filter(l -> l.startsWith("quern: ")).count());
    assertTrue(system.err().contains("contains <</SYS>>"), system.err());
    assertFalse(system.err().contains("not said"), "said once, at the start: " + system.err());
  }

  @Test
  void aLineThatIsNoTextIsRefusedByItsPlace() {
    byte[] lines = {'O', 'n', 'e', '\n', 'b', (byte) 0xe9, '\n', 'T', 'w', 'o', '\n'};
    Quern chat = Quern.withInput(lines, "chat", "-v", "-n", "4");
    assertEquals(2, answers(chat), chat.err());
    assertTrue(chat.err().contains("byte 5 is not UTF-8 (0xE9)"), chat.err());
    assertEquals(1, chat.code());
  }

  @Test
  void marksAndLineEndsAreNoPartOfAQuestion() {
    String[] command = {"chat", "-n", "8", "--temperature", "0"};
    String plain = Quern.withInput("the day\nthe mom\n", command).out();
    assertEquals(plain, Quern.withInput("\uFEFFthe day\r\nthe mom\r\n", command).out());
    assertEquals(plain, Quern.withInput("the day\nthe mom", command).out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "\r\n", "  \n\t\n", "\uFEFF", "/exit\nmore", " \n/exit \n"})
  void nothingToSayIsNoQuestion(String input) {
    Quern chat = Quern.withInput(input, "chat", "-v");
    assertEquals(0, chat.code(), chat.err());
    assertEquals("", chat.out());
    assertEquals(0, answers(chat), chat.err());
  }

  @Test
  void anEmptyLineIsNotTheEnd() {
    Quern chat = Quern.withInput("the day\n\n \nthe mom\n", "chat", "-v", "-n", "4");
    assertEquals(2, answers(chat), chat.err());
  }

  @Test
  void inputThatBreaksEndsTheChatWithItsReason() {
    InputStream broken =
        new InputStream() {
          @Override
          public int read() throws IOException {
            throw new IOException("Input/output error");
          }
        };
    Quern chat = Quern.run(broken, StandardStream.PIPE, StandardStream.FILE, "chat");
    assertEquals(1, chat.code(), chat.err());
    assertTrue(
        chat.err().endsWith("quern: standard input: can't be read: Input/output error\n"),
        chat.err());
  }

  @Test
  void stopStringsEndAReply() {
    String[] command = {"run", "--prompt", "Once upon a time", "-n", "40"};
    String whole = Quern.run(command).out();
    int end = whole.indexOf("curious boy");
    assertTrue(end > 0, whole);
    Quern stopped =
        Quern.run(
            "run",
            "--prompt",
            "Once upon a time",
            "-n",
            "40",
            "--stop",
            "nowhere",
            "--stop",
            "rious b");
    assertEquals(whole.substring(0, whole.indexOf("rious b")), stopped.out(), stopped.err());
    assertTrue(stopped.err().contains("stop string"), stopped.err());
    Quern empty = Quern.run("run", "--prompt", "x", "--stop", "");
    assertEquals(1, empty.code(), empty.err());
    assertTrue(empty.err().contains("stop string: empty"), empty.err());
  }

  @Test
  void specialTokensAreTextUnlessAskedFor() {
    String text = "<|eot_id|>";
    String[] plain = {"run", "--prompt", text, "-n", "0"};
    String[] special = {"run", "--prompt", text, "-n", "0", "--special"};
    assertEquals(text, Quern.run(plain).out());
    assertTrue(promptTokens(plain) > 2, "the start token, and its letters");
    assertEquals(2, promptTokens(special), "the start token and this one");
  }

  private static int promptTokens(String... command) {
    String err = Quern.run(command).err();
    String tokens = err.replaceAll("(?s).*prefill [^(]*\\((\\d+) tokens\\).*", "$1");
    return Integer.parseInt(tokens);
  }

  private Path llama2() throws IOException {
    return ChangedModel.of(
        SharedFiles.file("models/stories260K.gguf"),
        folder.resolve("llama2.gguf"),
        Map.of("tokenizer.chat_template", LLAMA2),
        UnaryOperator.identity());
  }

  private static long answers(Quern chat) {
    return chat.err().lines().filter(l -> l.startsWith("load ")).count();
  }

  private static long refusals(Quern chat) {
    return chat.err().lines().filter(l -> l.startsWith("quern: not said: ")).count();
  }

  @Test
  void aBrokenPipeEndsTheChat() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        new Console(
            new java.io.ByteArrayInputStream("a\nb\nc\n".getBytes(StandardCharsets.UTF_8)),
            new FullStream(0),
            err,
            StandardStream.PIPE,
            StandardStream.PIPE);
    assertEquals(141, Quern.run(console, "chat", "-n", "4"));
    assertEquals("", err.toString(StandardCharsets.UTF_8));
  }
}
