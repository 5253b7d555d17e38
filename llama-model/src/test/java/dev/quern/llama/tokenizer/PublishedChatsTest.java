package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Templates of published models: the tokens of conversations. That their text is Jinja2's is
/// tested where templates are run.
class PublishedChatsTest {
  private static final LocalDate TODAY = LocalDate.of(2026, 9, 3);

  /// What such models have as tokens, as far as templates spell it whole.
  private static final Pattern TOKEN =
      Pattern.compile(
          "<[|\uff5c][^\\s<>'\"|\uff5c]+[|\uff5c]>|\\[/?[A-Z][A-Z_]+\\]|</?[a-z][a-z_]+>|<s>|</s>");

  private static final String WEATHER =
      """
      {"type": "function", "function": {"name": "weather", "description": "Tells it.",
       "parameters": {"type": "object", "required": ["place"],
        "properties": {"place": {"type": "string", "description": "Where"}}}}}
      """;

  private static final ToolCall CALL = ToolCall.of("abcdefghi", "weather", "{\"place\": \"Bonn\"}");

  /// Texts in it stand for a token's text each, or for harmless words.
  private static Map<String, List<ChatMessage>> conversations(String word) {
    Map<String, List<ChatMessage>> all = new LinkedHashMap<>();
    ChatMessage user = ChatMessage.user("a " + word + " b");
    ChatMessage system = ChatMessage.system("c " + word);
    ChatMessage assistant = ChatMessage.assistant("d " + word);
    all.put("question", List.of(user));
    all.put("system", List.of(system, user));
    all.put("turns", List.of(system, user, assistant, user, assistant, user));
    all.put("reply first", List.of(assistant, user));
    all.put("two questions", List.of(user, user));
    all.put("system later", List.of(user, system, user));
    all.put("ends with a reply", List.of(user, assistant));
    all.put(
        "tools",
        List.of(
            user,
            ChatMessage.calls(CALL),
            ChatMessage.tool("abcdefghi", "e " + word).with("name", "weather")));
    return all;
  }

  private static Map<String, String> templates() throws IOException {
    Map<String, String> sources = new LinkedHashMap<>();
    try (Stream<Path> files = Files.list(SharedFiles.file("templates"))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).sorted().toList()) {
        sources.put(file.getFileName().toString(), Files.readString(file));
      }
    }
    return sources;
  }

  private static List<String> tokensOf(String source) {
    List<String> tokens = new ArrayList<>(List.of("<s>", "</s>"));
    TOKEN.matcher(source).results().map(found -> found.group()).distinct().forEach(tokens::add);
    return tokens.stream().distinct().toList();
  }

  private static Tokenizer tokenizer(List<String> tokens, int type) {
    TestDefinition definition = TestDefinition.bytePair("Ċ Ċ");
    for (String token : tokens) {
      if (!definition.tokens.contains(token)) {
        definition.add(token, type);
      }
    }
    definition.addBos = Optional.of(false);
    return definition.tokenizer();
  }

  private static ChatTemplate of(Tokenizer tokenizer, String source) {
    return ChatTemplate.of(tokenizer, Optional.of(source), Optional.empty(), TODAY);
  }

  /// With a token's text in each message there are as many special tokens as with a word in its
  /// place, and the same ones.
  @Test
  void specialTokensInMessagesStayText() throws IOException {
    int run = 0;
    TreeSet<String> templates = new TreeSet<>();
    for (Map.Entry<String, String> template : templates().entrySet()) {
      List<String> specials = tokensOf(template.getValue());
      Tokenizer tokenizer = tokenizer(specials, TestDefinition.CONTROL);
      ChatTemplate chat = of(tokenizer, template.getValue());
      ChatOptions options = ChatOptions.defaults().withTool(WEATHER);
      Map<String, List<ChatMessage>> harmless = conversations("word");
      for (String special : specials) {
        if (special.contains("think")) { // templates look for it in replies
          continue;
        }
        for (Map.Entry<String, List<ChatMessage>> one : conversations(special).entrySet()) {
          String what = template.getKey() + ", " + one.getKey() + ", " + special;
          ChatPrompt expected;
          ChatPrompt actual;
          try {
            expected = chat.render(harmless.get(one.getKey()), options);
          } catch (TokenizerException e) {
            assertEquals(1, e.getMessage().lines().count(), e.getMessage());
            continue;
          }
          actual = chat.render(one.getValue(), options);
          assertArrayEquals(
              specials(tokenizer, expected.tokens()), specials(tokenizer, actual.tokens()), what);
          assertTrue(specials(tokenizer, expected.tokens()).length > 0, what);
          assertEquals(actual.text(), tokenizer.decode(actual.tokens(), true), what);
          run++;
          templates.add(template.getKey());
        }
      }
    }
    assertEquals(17, templates.size(), templates.toString());
    assertTrue(run > 800, run + " renderings");
  }

  private static int[] specials(Tokenizer tokenizer, int[] tokens) {
    return Arrays.stream(tokens).filter(tokenizer::isControl).toArray();
  }

  /// Llama 3.1's and 3.2's, written out.
  @Test
  void llamasAreTheirTextForm() throws IOException {
    String header = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n";
    String cutoff = "Cutting Knowledge Date: December 2023\nToday Date: ";
    Map<String, String> preambles =
        Map.of(
            "meta-llama-Llama-3.1-8B-Instruct.jinja", cutoff + "26 Jul 2024\n\n",
            "meta-llama-Llama-3.2-3B-Instruct.jinja", cutoff + "03 Sep 2026\n\n");
    String turn =
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n";
    Map<String, String> sources = templates();
    preambles.forEach((name, preamble) -> {
      Tokenizer tokenizer = tokenizer(List.of(), TestDefinition.CONTROL);
      ChatTemplate chat = of(tokenizer, sources.get(name));
      ChatMessage question = ChatMessage.user(" hello\n");
      assertArrayEquals(
          tokenizer.encode(header + preamble + turn, true),
          chat.render(List.of(question)).tokens());
      assertArrayEquals(
          tokenizer.encode(header + preamble + "be kind" + turn + "Yes" + turn, true),
          chat.render(
                  List.of(
                      ChatMessage.system("be kind "),
                      question,
                      ChatMessage.assistant("Yes\n"),
                      question))
              .tokens());
    });
  }

  /// Qwen3's template leaves earlier thoughts out.
  @Test
  void qwen3ForgetsThoughts() throws IOException {
    String source = templates().get("Qwen-Qwen3-0.6B.jinja");
    Tokenizer tokenizer = tokenizer(tokensOf(source), TestDefinition.USER_DEFINED);
    ChatTemplate chat = of(tokenizer, source);
    ChatOptions options = ChatOptions.defaults();
    List<ChatMessage> messages = new ArrayList<>(List.of(ChatMessage.user("One")));
    ChatPrompt first = chat.render(messages, options);
    String reply = "<think>\nhm\n</think>\n\nTwo";
    messages.add(ChatMessage.assistant(reply));
    messages.add(ChatMessage.user("Three"));
    ChatPrompt second =
        chat.render(messages, options, first.withReply(tokenizer.encode(reply, true), reply));
    assertFalse(second.text().contains("hm"), second.text());
    assertArrayEquals(chat.render(messages, options).tokens(), second.tokens());
    assertTrue(Arrays.mismatch(first.tokens(), second.tokens()) == first.tokens().length);
    assertTrue(
        chat.render(messages, options.withVariable("enable_thinking", false))
            .text()
            .endsWith("<think>\n\n</think>\n\n"));
  }

  /// It writes tools, and fails where there are none, as in transformers.
  @Test
  void aTemplateForToolsAloneNeedsThem() throws IOException {
    String source = templates().get("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use.jinja");
    ChatTemplate chat = of(tokenizer(tokensOf(source), TestDefinition.CONTROL), source);
    List<ChatMessage> question = List.of(ChatMessage.user("hi"));
    String message =
        assertThrows(TokenizerException.class, () -> chat.render(question)).getMessage();
    assertTrue(message.startsWith("chat: line 38: "), message);
    ChatOptions tools = ChatOptions.defaults().withTool(WEATHER);
    assertTrue(chat.render(question, tools).text().contains("\"name\": \"weather\""));
  }
}
