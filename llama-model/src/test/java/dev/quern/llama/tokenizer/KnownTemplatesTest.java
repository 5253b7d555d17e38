package dev.quern.llama.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.quern.testing.SharedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Which templates are known, and what is made of them. The expected texts are what Jinja2 renders
/// of the same messages.
class KnownTemplatesTest {
  private static final LocalDate TODAY = LocalDate.of(2026, 9, 3);

  private static final String CHATML =
      """
      {%- for m in messages -%}{# spelt otherwise than published #}
        {{- "<|im_start|>" + m.role }}
        {{- "\\n" + m['content'] + '<|im_end|>' }}{{ '
      ' }}
      {%- endfor -%}
      {%- if add_generation_prompt -%}
        {{ '<|im_start|>assistant\\n' }}
      {%- endif %}
      """
          .replace("m.role", "message.role")
          .replace("m['content']", "message['content']")
          .replace("for m in", "for message in");

  private static final String LLAMA3 =
      """
      {%- set loop_messages = messages %}
      {%- for message in loop_messages %}
          {%- set content = "<|start_header_id|>" + message.role + "<|end_header_id|>" + "\\n\\n"
              + message.content|trim + "<|eot_id|>" %}
          {%- if loop.index0 == 0 %}
              {%- set content = bos_token + content %}
          {%- endif %}
          {{- content }}
      {%- endfor %}
      {%- if add_generation_prompt %}
          {{- "<|start_header_id|>assistant<|end_header_id|>\\n\\n" }}
      {%- endif %}
      """;

  private final Tokenizer llama3 = tokenizer();

  private static Tokenizer tokenizer() {
    TestDefinition definition = TestDefinition.bytePair("Ċ Ċ", "u s");
    definition.add("<|im_start|>", TestDefinition.CONTROL);
    definition.add("<|im_end|>", TestDefinition.CONTROL);
    definition.addBos = Optional.of(false);
    return definition.tokenizer();
  }

  @Test
  void spellingMakesNoDifference() {
    assertEquals(
        "<|im_start|>user\n hi <|im_end|>\n<|im_start|>assistant\n",
        first(CHATML, Optional.empty(), " hi "));
    assertEquals(
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nbe kind<|eot_id|>"
            + "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n",
        first(LLAMA3, Optional.of("be kind "), "\u00a0hi\n"));
  }

  /// No character of a template is there for nothing but white space within tags and comments.
  @Test
  void aTemplateThatLacksACharacterIsAnother() {
    for (String source : List.of(CHATML, LLAMA3)) {
      String sound = JinjaForm.of(source).orElseThrow();
      for (int i = 0; i < source.length(); i++) {
        String cut = source.substring(0, i) + source.substring(i + 1);
        boolean comment = source.indexOf("{#") < i && i < source.indexOf("#}");
        boolean known = KnownTemplates.find(cut, llama3, TODAY).isPresent();
        if (known) {
          assertTrue(
              comment || " \n-".indexOf(source.charAt(i)) >= 0,
              "without character " + i + ":\n" + cut);
          assertEquals(sound, JinjaForm.of(cut).orElseThrow());
        }
      }
    }
  }

  @Test
  void oneStatementMoreIsAnotherTemplate() {
    for (String more :
        List.of(
            "{{ 'Answer in French.' }}",
            "{% set messages = messages[1:] %}",
            "x",
            "{{ eos_token }}",
            "{% raw %}{% endraw %}")) {
      assertTrue(KnownTemplates.find(CHATML + more, llama3, TODAY).isEmpty(), more);
      assertTrue(KnownTemplates.find(more + CHATML, llama3, TODAY).isEmpty(), more);
    }
  }

  @Test
  void whiteSpaceThatIsPrintedCounts() {
    String plain = "{{ a }}{{ b }}";
    assertEquals("a b\n", JinjaForm.of(plain).orElseThrow());
    assertNotEquals(JinjaForm.of(plain), JinjaForm.of("{{ a }} {{ b }}"));
    assertEquals(JinjaForm.of(plain), JinjaForm.of("{{ a -}} \n {{ b }}\n"));
    assertEquals(JinjaForm.of("{{ a }} \nb"), JinjaForm.of("{{ a + ' \\nb' }}"));
    // trim_blocks takes one line break, lstrip_blocks what stands before a statement in its line
    assertEquals(JinjaForm.of("{% x %}{% y %}"), JinjaForm.of("{% x %}\n  {% y %}"));
    assertNotEquals(JinjaForm.of("{% x %}{% y %}"), JinjaForm.of("{% x %}\n\n{% y %}"));
    assertNotEquals(JinjaForm.of("{% x %}{{ y }}"), JinjaForm.of("{% x %}\n  {{ y }}"));
    assertNotEquals(JinjaForm.of("{% x %}{% y %}"), JinjaForm.of("{% x +%}\n{% y %}"));
    assertNotEquals(JinjaForm.of("a{% x %}"), JinjaForm.of("a {% x %}"));
  }

  @Test
  void whatIsNoSumStaysWhole() {
    assertNotEquals(
        JinjaForm.of("{{ a + b if c else d }}"), JinjaForm.of("{{ a }}{{ b if c else d }}"));
    assertNotEquals(JinjaForm.of("{{ a * b + c }}"), JinjaForm.of("{{ a * b }}{{ c }}"));
    assertEquals(JinjaForm.of("{{ f(a + b) + c }}"), JinjaForm.of("{{ f(a + b) }}{{ c }}"));
    assertNotEquals(JinjaForm.of("{{ 'a' }}"), JinjaForm.of("{{ a }}"));
    assertNotEquals(JinjaForm.of("{{ '\\\\n' }}"), JinjaForm.of("{{ '\\n' }}"));
  }

  /// Whatever stands in the file: an answer, at once, and no deep recursion.
  @Test
  void hostileTemplatesHaveAnAnswer() {
    for (String part :
        List.of("'\\'", "\"a\"+", "{{", "{%", "{#", "{{'a'+'", "[['a']]", "{%-", "{{ ((")) {
      String many = part.repeat(1 << 14);
      JinjaForm.of(many);
      JinjaForm.of("{{" + many + "}}");
      JinjaForm.of("{%" + many + "%}");
      assertTrue(KnownTemplates.find(many, llama3, TODAY).isEmpty());
    }
    assertFalse(JinjaForm.of("{{ 'open }}").isPresent());
    assertFalse(JinjaForm.of("{# open").isPresent());
  }

  /// Published templates: rendered as Jinja2 does, or not known.
  @Test
  void publishedTemplates() throws IOException {
    Path folder = SharedFiles.file("templates");
    String header = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\n";
    String question =
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nhello<|eot_id|>"
            + "<|start_header_id|>assistant<|end_header_id|>\n\n";
    String cutoff = "Cutting Knowledge Date: December 2023\nToday Date: ";
    Map<String, String> known =
        Map.of(
            "meta-llama-Llama-3.1-8B-Instruct.jinja", cutoff + "26 Jul 2024\n\n",
            "meta-llama-Llama-3.2-3B-Instruct.jinja", cutoff + "03 Sep 2026\n\n");
    int seen = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".jinja")).toList()) {
        String source = Files.readString(file);
        String preamble = known.get(file.getFileName().toString());
        if (preamble == null) {
          assertTrue(KnownTemplates.find(source, llama3, TODAY).isEmpty(), file.toString());
          continue;
        }
        seen++;
        assertEquals(header + preamble + question, first(source, Optional.empty(), " hello\n"));
        assertEquals(
            header + preamble + "be kind" + question,
            first(source, Optional.of("be kind "), "hello"));
      }
    }
    assertEquals(known.size(), seen);
  }

  private String first(String source, Optional<String> system, String user) {
    ChatTemplate chat = KnownTemplates.find(source, llama3, TODAY).orElseThrow();
    return llama3.decode(chat.firstTurn(system, user), true);
  }
}
