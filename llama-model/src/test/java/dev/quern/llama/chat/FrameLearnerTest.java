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
    frames.forEach((name, frame) -> System.out.println(name + " | " + frame));
    assertEquals(17, frames.size());
  }
}
