package dev.quern.llama.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.quern.llama.tokenizer.PublishedTemplates;
import dev.quern.llama.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
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
}
