package dev.quern.llama.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.quern.Blame;
import dev.quern.KernelOptions;
import dev.quern.llama.Engine;
import dev.quern.llama.EngineOptions;
import dev.quern.llama.GenerationOptions;
import dev.quern.llama.LlamaModel;
import dev.quern.llama.LoadOptions;
import dev.quern.llama.LogitsHook;
import dev.quern.llama.Piece;
import dev.quern.llama.StopReason;
import dev.quern.llama.SyntheticModel;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.error.RequestException;
import dev.quern.llama.sampling.SamplingOptions;
import dev.quern.llama.tokenizer.ChatFormat;
import dev.quern.llama.tokenizer.ChatMessage;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.ChatTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Conversations with tools over engines. The model is random: what it says it says by chance, but
/// for what it is held to.
class ChatEngineTest {
  private static final String TEMPLATE =
      """
      {%- for m in messages %}
          {{- '<|start_header_id|>' + m.role + '<|end_header_id|>' }}
          {%- if loop.first and tools %}{{- tools | tojson }}{%- endif %}
          {{- m.content or '' }}
          {%- for call in m.tool_calls or [] %}
              {{- '\\n<call>{"name": "' + call.function.name + '", "arguments": ' }}
              {{- call.function.arguments | tojson + '}</call>' }}
          {%- endfor %}
          {{- '<|eot_id|>' }}
      {%- endfor %}
      {{- '<|start_header_id|>assistant<|end_header_id|>' }}
      """;

  private static final String WHERE =
      """
      {"type": "object", "required": ["place", "days"], "properties": {
        "place": {"type": "string", "maxLength": 8},
        "days": {"type": "integer", "minimum": 1, "maximum": 9}}}\
      """;
  private static final Tool WEATHER = Tool.of("weather", "Tells it.", WHERE);
  private static final Tool TIME =
      new Tool("time", Optional.empty(), "{\"properties\": {\"utc\": {\"type\": \"boolean\"}}}");

  @TempDir static Path folder;
  private static LlamaModel model;
  private static Engine engine;
  private static ChatEngine chat;

  @BeforeAll
  static void load() throws IOException {
    Path file =
        new SyntheticModel()
            .with("tokenizer.chat_template", TEMPLATE)
            .with("llama.context_length", 2048L)
            .write(folder.resolve("m.gguf"));
    model =
        LlamaModel.load(
            file,
            LoadOptions.defaults()
                .withThreads(1)
                .withKernels(KernelOptions.fromSystem().with("quern.provider", "scalar")));
    engine = model.newEngine(EngineOptions.defaults().withSequences(4));
    chat = new ChatEngine(model, engine);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static GenerationOptions drawn(long seed) {
    return GenerationOptions.of(200, new SamplingOptions(5, 0, 1, 0, 1, 64, seed));
  }

  private static ChatRequest asked(long seed) {
    return ChatRequest.of(List.of(ChatMessage.user("Rain?")), drawn(seed))
        .withTools(List.of(WEATHER, TIME));
  }

  @Test
  void aCallThatIsRequiredIsOneThatFitsItsSchema() throws Exception {
    JsonSchema schema =
        JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(WHERE);
    List<String> called = new ArrayList<>();
    for (int seed = 0; seed < 4; seed++) {
      List<Piece> pieces = new ArrayList<>();
      ChatReply reply =
          chat.submit(asked(seed).withChoice(ToolChoice.REQUIRED), pieces::add).await();
      assertEquals(StopReason.END_OF_TEXT, reply.generation().stop(), reply.toString());
      assertEquals("", reply.text());
      assertEquals(List.of(), pieces);
      ToolCall call = reply.toolCalls().getFirst();
      called.add(call.name());
      if (call.name().equals("weather")) {
        assertTrue(schema.validate(new ObjectMapper().readTree(call.argumentsJson())).isEmpty());
      }
      ChatReply named =
          chat.submit(asked(seed).withChoice(ToolChoice.named("time")), _ -> {}).await();
      assertEquals(List.of("time"), named.toolCalls().stream().map(ToolCall::name).toList());
    }
    assertTrue(called.containsAll(List.of("weather", "time")), called.toString());
  }

  /// A frame of control tokens, which are no text.
  @Test
  void aFrameMayBeOfControlTokens() throws Exception {
    String template =
        TEMPLATE
            .replace("'\\n<call>{\"name\": \"' +", "'<|start_header_id|>' +")
            .replace("+ '\", \"arguments\": '", "+ '<|end_header_id|>'")
            .replace("+ '}</call>'", "");
    ChatTemplate other =
        ChatTemplate.of(
            model.tokenizer(), Optional.of(template), Optional.empty(), LocalDate.now());
    ChatEngine controlled = new ChatEngine(model, engine, other);
    assertEquals(
        Optional.of(
            "<|start_header_id|>NAME<|end_header_id|>{...}, between two: <|start_header_id|>"),
        controlled.toolFrame());
    ChatReply reply =
        controlled.submit(asked(5).withChoice(ToolChoice.named("weather")), _ -> {}).await();
    assertEquals(List.of("weather"), reply.toolCalls().stream().map(ToolCall::name).toList());
    int begin = model.tokenizer().id("<|start_header_id|>").getAsInt();
    assertEquals(begin, reply.generation().tokens().getFirst());
    assertEquals("", reply.text());
  }

  @Test
  void theConversationGoesOnBehindACallAndCostsWhatIsNew() throws Exception {
    ChatRequest first = asked(1).withChoice(ToolChoice.named("weather"));
    ChatReply reply = chat.submit(first, _ -> {}).await();
    ChatMessage message = reply.message();
    assertEquals(Optional.empty(), message.content());
    ToolCall call = message.toolCalls().getFirst();
    assertEquals(9, call.id().length());
    List<ChatMessage> messages =
        List.of(
            ChatMessage.user("Rain?"), message, ChatMessage.tool(call.id(), "{\"rain\": true}"));
    ChatReply second =
        chat.submit(first.withMessages(messages).withChoice(ToolChoice.AUTO), _ -> {}).await();
    assertTrue(second.cachedTokens() >= reply.promptTokens(), second.toString());
    assertEquals(second.promptTokens() - second.cachedTokens(), second.generation().promptTokens());
  }

  @Test
  void piecesAreTheReplysTextAndTokens() throws Exception {
    for (ChatRequest request :
        List.of(asked(3), asked(3).withTools(List.of()), asked(3).withChoice(ToolChoice.NONE))) {
      List<Piece> pieces = new ArrayList<>();
      ChatRequest probable =
          request.withOptions(drawn(3).withMaxTokens(60).ignoringEnd().withLogProbabilities(2));
      ChatReply reply = chat.submit(probable, pieces::add).await();
      assertEquals(reply.text(), pieces.stream().map(Piece::text).collect(Collectors.joining()));
      assertEquals(
          reply.generation().tokens(), pieces.stream().flatMap(p -> p.tokens().stream()).toList());
      assertEquals(
          reply.generation().logProbabilities(),
          pieces.stream().flatMap(p -> p.logProbabilities().stream()).toList());
      assertTrue(pieces.size() > 1);
    }
  }

  @Test
  void thoughtsAreAFieldOfTheirOwnUnlessTheyAreWantedRaw() throws Exception {
    String opening = TEMPLATE.stripTrailing() + "{{- '<think>\\n' }}{#- and </think> #}";
    ChatTemplate thinking =
        ChatTemplate.of(model.tokenizer(), Optional.of(opening), Optional.empty(), LocalDate.now());
    ChatEngine thinker = new ChatEngine(model, engine, thinking);
    int[] said = model.tokenizer().encode("Hm.</think>\n\nYes", false);
    ChatRequest request =
        ChatRequest.of(
            List.of(ChatMessage.user("Why?")),
            GenerationOptions.greedy(said.length).withLogitsHook(saying(said)));
    HeardReply heard = new HeardReply();
    ChatReply reply = thinker.submit(request, heard).await();
    assertEquals("Yes", reply.text());
    assertEquals("Hm.", reply.thoughts());
    assertEquals(said.length - "\n\nYes".length(), reply.thoughtTokens());
    assertEquals(List.of("thought Hm.", "text Yes"), heard.log());
    assertEquals("Hm.", reply.message().fields().get("reasoning_content"));

    ChatReply raw = thinker.submit(request.withThoughtsInText(true), _ -> {}).await();
    assertEquals("Hm.</think>\n\nYes", raw.text());
    assertEquals("", raw.thoughts() + raw.message().fields().getOrDefault("reasoning_content", ""));
    ChatRequest held =
        request.withOptions(request.options().withConstraint(Constraint.regex("Hm[^q]*")));
    assertEquals("Hm.</think>\n\nYes", thinker.submit(held, _ -> {}).await().text());
    assertEquals("Hm.</think>\n\nYes", chat.submit(request, _ -> {}).await().text());
  }

  /// Tokens in the place of the model's own. The prompt has none of them at its end.
  private static LogitsHook saying(int[] said) {
    return (before, logits) -> {
      int n = said.length - 1;
      while (!Arrays.equals(said, 0, n, before, before.length - n, before.length)) {
        n--;
      }
      logits[said[n]] = 1000;
    };
  }

  @Test
  void noToolsAreToldOfWhereNoneMayBeCalled() throws Exception {
    ChatReply none = chat.submit(asked(2).withChoice(ToolChoice.NONE), _ -> {}).await();
    ChatReply without = chat.submit(asked(2).withTools(List.of()), _ -> {}).await();
    assertEquals(without.promptTokens(), none.promptTokens());
    assertEquals(without.text(), none.text());
  }

  @Test
  void textOfAFormOrACall() throws Exception {
    GenerationOptions formed = drawn(0).withConstraint(Constraint.regex("(yes|no)"));
    boolean texts = false;
    for (int seed = 0; seed < 8; seed++) {
      GenerationOptions options = formed.withSampling(drawn(seed).sampling());
      ChatReply reply = chat.submit(asked(0).withOptions(options), _ -> {}).await();
      assertEquals(reply.toolCalls().isEmpty(), reply.text().matches("yes|no"), reply.toString());
      texts |= reply.toolCalls().isEmpty();
    }
    assertTrue(texts);
  }

  @Test
  void whatCannotBeDoneIsRefusedBeforeAnythingRuns() {
    Tool odd = Tool.of("odd", "", "{\"type\": \"object\", \"minProperties\": 2}");
    ChatRequest request = asked(0).withTools(List.of(odd)).withChoice(ToolChoice.REQUIRED);
    RequestException schema =
        assertThrows(RequestException.class, () -> chat.submit(request, _ -> {}));
    assertTrue(schema.getMessage().startsWith("tool odd: "), schema.getMessage());
    assertTrue(schema.getMessage().contains("minProperties"), schema.getMessage());
    assertEquals(Blame.CALLER, schema.blame());

    ChatTemplate plain =
        ChatTemplate.of(
            model.tokenizer(), Optional.empty(), Optional.of(ChatFormat.PLAIN), LocalDate.now());
    ChatEngine without = new ChatEngine(model, engine, plain);
    String message =
        assertThrows(RequestException.class, () -> without.submit(asked(0), _ -> {})).getMessage();
    assertTrue(message.startsWith("tools: this model's chat template can't write"), message);
    assertFalse(message.contains("\n"));

    assertThrows(RequestException.class, () -> Tool.of("a b", "", WHERE));
    assertThrows(RequestException.class, () -> Tool.of("a", "", "[]"));
    assertThrows(RequestException.class, () -> Tool.of("a", "", "{\"type\": \"string\"}"));
    assertThrows(RequestException.class, () -> asked(0).withTools(List.of(TIME, TIME)));
    assertThrows(RequestException.class, () -> asked(0).withChoice(ToolChoice.named("no")));
    assertThrows(
        RequestException.class,
        () -> asked(0).withTools(List.of()).withChoice(ToolChoice.REQUIRED));
  }

  @Test
  void aPlainModelGoesOnWithTheQuestion() throws Exception {
    ChatTemplate plain =
        ChatTemplate.of(
            model.tokenizer(), Optional.empty(), Optional.of(ChatFormat.PLAIN), LocalDate.now());
    ChatRequest request =
        ChatRequest.of(List.of(ChatMessage.user("Once")), GenerationOptions.greedy(5));
    ChatReply reply = new ChatEngine(model, engine, plain).submit(request, _ -> {}).await();
    assertEquals(model.tokenizer().encodeBeginning("Once", false).length, reply.promptTokens());
  }
}
