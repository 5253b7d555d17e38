package dev.quern.llama.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.StopReason;
import dev.quern.llama.constrain.Constraint;
import dev.quern.llama.constrain.ConstraintState;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.PublishedTemplates;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// What published templates tell of tool calls.
class FrameLearnerTest {
  private static final String HERMES =
      "<tool_call>\\n{\"name\": \"NAME\", \"arguments\": {...}}\\n</tool_call>, between two: \\n</tool_call>\\n<tool_call>\\n";
  private static final String LLAMA = "{\"name\": \"NAME\", \"parameters\": {...}}, one call";
  private static final String NONE = "none: it leaves out a trial one";

  private static final Map<String, String> FRAMES =
      Map.ofEntries(
          Map.entry("GLM-4.6", "none: it does not write the arguments as JSON behind the name"),
          Map.entry("HuggingFaceTB-SmolLM3-3B", NONE),
          Map.entry("LFM2-8B-A1B", NONE),
          Map.entry("MiMo-VL", HERMES),
          Map.entry(
              "Mistral-Small-3.2-24B-Instruct-2506",
              "[TOOL_CALLS]NAME[CALL_ID]ID[ARGS]{...}, between two: [TOOL_CALLS]"),
          Map.entry("NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", HERMES),
          Map.entry("Qwen-Qwen2.5-7B-Instruct", HERMES),
          Map.entry("Qwen-Qwen3-0.6B", HERMES),
          Map.entry("deepseek-ai-DeepSeek-R1-Distill-Llama-8B", NONE),
          Map.entry("google-gemma-2-2b-it", NONE),
          Map.entry("ibm-granite-granite-3.3-2B-Instruct", NONE),
          Map.entry(
              "meetkai-functionary-medium-v3.1",
              "<function=NAME>{...}</function>, between two: </function><function="),
          Map.entry("meta-llama-Llama-3.1-8B-Instruct", LLAMA),
          Map.entry("meta-llama-Llama-3.2-3B-Instruct", LLAMA),
          Map.entry("microsoft-Phi-3.5-mini-instruct", NONE),
          Map.entry(
              "moonshotai-Kimi-K2",
              "<|tool_calls_section_begin|><|tool_call_begin|>functions.NAME:N<|tool_call_argument_begin|>{...}<|tool_call_end|><|tool_calls_section_end|>, between two: <|tool_call_end|><|tool_call_begin|>functions."),
          Map.entry(
              "openai-gpt-oss-120b",
              " to=functions.NAME<|channel|>commentary json<|message|>{...}<|call|>, one call"));

  @Test
  void eachTemplateTellsItsFrame() throws IOException {
    Map<String, String> frames = new TreeMap<>();
    for (Map.Entry<String, String> template : PublishedTemplates.all().entrySet()) {
      Tokenizer tokenizer = PublishedTemplates.tokenizerFor(template.getValue());
      FrameLearner.Learned learned =
          FrameLearner.of(
              PublishedTemplates.template(tokenizer, template.getValue()), tokenizer, Map.of());
      frames.put(
          template.getKey().replace(".jinja", ""),
          learned.frame().map(ToolFrame::toString).orElse("none: " + learned.refusal()));
    }
    assertEquals(FRAMES, frames);
  }

  /// A template of a question, and a reply that is written so.
  private static FrameLearner.Learned of(String calls) {
    String source =
        """
        {%- for m in messages %}
            {{- '[INST]' + m.role + ':' + (m.content or '') }}
            {%- for call in m.tool_calls or [] %}
        XX
            {%- endfor %}
            {{- '</s>' }}
        {%- endfor %}[INST]assistant:
        """
            .replace("XX", calls);
    Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source + "[TOOL_CALLS]");
    return FrameLearner.of(PublishedTemplates.template(tokenizer, source), tokenizer, Map.of());
  }

  @Test
  void aListOfCallsWithIds() {
    String calls =
        """
        {{- '[TOOL_CALLS] [' if loop.first else ', ' }}
        {{- '{"name": "' + call.function.name + '", "arguments": ' + call.function.arguments | tojson }}
        {{- ', "id": "' + call.id + '"}' + (']' if loop.last else '') }}
        """;
    ToolFrame frame = of(calls).frame().orElseThrow();
    assertEquals(
        "[TOOL_CALLS] [{\"name\": \"NAME\", \"arguments\": {...}, \"id\": \"ID\"}], between two: , ",
        frame.toString());
    assertEquals(Optional.of("id"), frame.call().keys().orElseThrow().id());
    ToolFrame other =
        of("{{- {'type': 'function', 'function': call.function} | tojson }}").frame().orElseThrow();
    assertTrue(
        other.toString().startsWith("{\"type\": \"function\", \"function\": {\"name\": \"NAME\""),
        other.toString());
  }

  @Test
  void whatIsNoFrameIsRefused() {
    Map<String, String> refusals =
        Map.of(
            "{{- raise_exception('no') }}", "it refuses a trial one: chat: ",
            "{{- 'x' }}", "it leaves out a trial one",
            "{{- call.function.name + call.function.arguments | tojson }}", "nothing marks a call",
            "{{- 'a' + call.function.name + loop.index | string + call.function.arguments | tojson }}",
                "it writes two trial ones in two ways",
            "{{- 'a' + call.function.arguments | tojson + call.function.name }}",
                "it does not write the arguments as JSON behind the name");
    refusals.forEach((calls, refusal) -> {
      FrameLearner.Learned learned = of(calls);
      assertTrue(learned.frame().isEmpty(), calls);
      assertTrue(learned.refusal().startsWith(refusal), learned.refusal());
    });
  }

  /// Random texts of the form that a required call is held to are that call, in each frame.
  @Test
  void whatARequiredCallIsHeldToIsReadAsOne() throws IOException {
    Tool odd =
        Tool.of(
            "odd.tool",
            "",
            "{\"properties\": {\"a\": {\"enum\": [\"x }y\", \"[\\\"\", \"</tool_call>\"]}, \"n\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 99}}, \"required\": [\"a\"]}");
    Tool none = new Tool("none", Optional.empty(), "{\"type\": \"object\", \"properties\": {}}");
    Random random = new Random(3);
    int frames = 0;
    for (String source : PublishedTemplates.all().values()) {
      Tokenizer tokenizer = PublishedTemplates.tokenizerFor(source);
      Optional<ToolFrame> frame =
          FrameLearner.of(PublishedTemplates.template(tokenizer, source), tokenizer, Map.of())
              .frame();
      if (frame.isEmpty()) {
        continue;
      }
      frames++;
      Constraint constraint = frame.get().constraint(List.of(odd, none));
      Set<String> called = new TreeSet<>();
      for (int i = 0; i < 12; i++) {
        HeardReply heard = new HeardReply();
        ReplyReader reader = new ReplyReader(tokenizer, frame, Thoughts.NONE, heard);
        ConstraintState state = constraint.start(tokenizer, Set.of());
        while (!state.isComplete()) {
          int[] allowed = BitSet.valueOf(state.allowed()).stream().toArray();
          int token = allowed[random.nextInt(allowed.length)];
          state.accept(token);
          String text = tokenizer.isHidden(token) ? "" : tokenizer.decode(new int[] {token});
          reader.accept(new Piece(text, List.of(token), List.of()));
        }
        reader.end(new Generation(List.of(), StopReason.END_OF_TEXT, 1, 0, 0, 0, 0, List.of()));
        assertEquals(1, reader.calls().size(), frame.toString());
        ToolCall call = reader.calls().getFirst();
        called.add(call.name() + call.arguments().get("a"));
        assertFalse(call.id().isEmpty());
        assertEquals(List.of(), heard.texts());
        assertEquals(call, heard.inParts(0));
      }
      assertTrue(called.size() > 2 && called.contains("nonenull"), called.toString());
    }
    assertEquals(10, frames);
  }
}
