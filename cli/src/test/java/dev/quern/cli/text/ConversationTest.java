package dev.quern.cli.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.quern.cli.Quern;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Commands of a chat, each a line of a pipe.
class ConversationTest {
  @TempDir Path folder;

  private static Quern chat(String input, String... more) {
    List<String> words = new ArrayList<>(List.of("chat", "-n", "6"));
    words.addAll(List.of(more));
    return Quern.withInput(input, words.toArray(String[]::new));
  }

  private static List<String> replies(Quern chat) {
    assertEquals(0, chat.code(), chat.err());
    return chat.out().lines().toList();
  }

  private JsonNode saved(Path file) throws IOException {
    return new ObjectMapper().readTree(file.toFile());
  }

  @Test
  void aReplyIsMadeAnewInThePlaceOfTheLast() throws IOException {
    Path file = folder.resolve("c.json");
    String input = "the day\nthe mom\n/regen\n/regen\n/save " + file + "\n";
    List<String> replies = replies(chat(input, "--temperature", "2", "--min-p", "0"));
    assertEquals(4, replies.size());
    assertNotEquals(replies.get(1), replies.get(2), "another seed");
    assertNotEquals(replies.get(2), replies.get(3));
    JsonNode messages = saved(file);
    assertEquals(4, messages.size(), "two turns: " + messages);
    assertEquals("the mom", messages.get(2).get("content").asText());
    assertEquals(replies.get(3), messages.get(3).get("content").asText());

    List<String> greedy = replies(chat("the day\nthe mom\n/regen\n", "--temperature", "0"));
    assertEquals(greedy.get(1), greedy.get(2), "what came before is the same");
  }

  @Test
  void aSavedConversationGoesOnAsIfItHadNotEnded() throws IOException {
    Path file = folder.resolve("my talk.json");
    String[] how = {"--temperature", "0", "--numerics", "invariant"};
    List<String> whole = replies(chat("the day\nthe mom\nand so\n", how));
    chat("the day\nthe mom\n/save " + file + "\n/save " + file + "\n", how);
    assertEquals(
        List.of(whole.get(2)), replies(chat("/load " + file + "\nand so\n", how)), "the third");
    ObjectMapper mapper = new ObjectMapper();
    List<JsonNode> asked = new ArrayList<>();
    saved(file).forEach(asked::add);
    Files.writeString(file, mapper.writeValueAsString(asked.subList(0, 3)));
    assertEquals(List.of(whole.get(1)), replies(chat("/load " + file + "\n", how)), "answered");
  }

  @Test
  void theSystemTextChangesInPlace() throws IOException {
    Path file = folder.resolve("c.json");
    String save = "/save " + file + "\n";
    Quern chat =
        chat("/system\nthe day\n/system Be kind.\n/system\n" + save, "--system", "Be brief.");
    assertEquals(1, replies(chat).size());
    assertTrue(chat.err().contains("quern: system: Be brief.\n"), chat.err());
    assertTrue(chat.err().contains("quern: system: Be kind.\n"), chat.err());
    assertEquals(3, saved(file).size());
    assertEquals("Be kind.", saved(file).get(0).get("content").asText());
    chat("/system Be kind.\nthe day\n/clear\n" + save);
    assertEquals(1, saved(file).size(), "the system text alone: " + saved(file));
  }

  @Test
  void aFileIsReadBeforeTheNextQuestion() throws IOException {
    Path text = Files.writeString(folder.resolve("story.txt"), "One\ntwo\n");
    Path file = folder.resolve("c.json");
    replies(chat("/read " + text + "\nand then\nmore\n/save " + file + "\n"));
    assertEquals("One\ntwo\n\nand then", saved(file).get(0).get("content").asText());
    assertEquals("more", saved(file).get(2).get("content").asText());
  }

  @Test
  void textMayBeginWithASlash() throws IOException {
    Path file = folder.resolve("c.json");
    replies(chat("//exit\n/etc/passwd is\n/save " + file + "\n"));
    assertEquals("/exit", saved(file).get(0).get("content").asText());
    assertEquals("/etc/passwd is", saved(file).get(2).get("content").asText());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          /quit             | quern: /quit: no such command; /help lists them
          /Clear            | quern: /Clear: no such command
          /regen            | quern: /regen: nothing was asked yet
          /regen now        | quern: /regen: expected nothing behind it
          /load             | quern: /load: expected /load FILE
          /load nowhere     | quern: /load: nowhere: no such file or folder
          /read nowhere     | quern: /read: nowhere: no such file or folder
          /save FOLDER      | quern: /save: FOLDER
          /save FOLDER/text | quern: FOLDER/text: is there, and no conversation; name another file
          /load FOLDER/text | quern: FOLDER/text: no JSON (line 1, column 1): Unrecognized token
          /load FOLDER/none | quern: FOLDER/none: expected an array of messages
          /load FOLDER/role | quern: FOLDER/role: message 1, role: missing: expected a text
          /load FOLDER/kind | quern: FOLDER/kind: message 2: expected an object
          /load FOLDER/part | quern: FOLDER/part: message 1, content: expected a text
          /load FOLDER/call | quern: FOLDER/call: message 1, tool_calls, function: expected an object
          """)
  void aCommandThatCanNotBeDoneIsALineAndTheChatGoesOn(String command, String said)
      throws IOException {
    Files.writeString(folder.resolve("text"), "Once");
    Files.writeString(folder.resolve("none"), "[]");
    Files.writeString(folder.resolve("role"), "[{\"content\": \"x\"}]");
    Files.writeString(folder.resolve("kind"), "[{\"role\": \"user\", \"content\": \"x\"}, 1]");
    Files.writeString(folder.resolve("part"), "[{\"role\": \"user\", \"content\": [1]}]");
    Files.writeString(folder.resolve("call"), "[{\"role\": \"assistant\", \"tool_calls\": [{}]}]");
    Quern chat = chat(command.replace("FOLDER", folder.toString()) + "\nthe day\n");
    assertEquals(1, chat.code(), chat.err());
    assertEquals(1, chat.out().lines().count(), chat.out());
    List<String> lines = chat.err().lines().toList();
    assertEquals(1, lines.size(), chat.err());
    assertTrue(lines.getFirst().startsWith(said.replace("FOLDER", folder.toString())), chat.err());
    assertEquals("Once", Files.readString(folder.resolve("text")));
  }

  @Test
  void toolCallsComeBackAsTheyWere() throws IOException {
    Path file = folder.resolve("c.json");
    String messages =
        """
        [{"role":"user","content":"Hi"},
         {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",
           "function":{"name":"f","arguments":"{\\"x\\":1}"}}]},
         {"role":"tool","content":"2","tool_call_id":"c1"}]
        """;
    Files.writeString(file, messages);
    Object tree = new ObjectMapper().readValue(messages, Object.class);
    assertEquals(
        new ObjectMapper().valueToTree(tree),
        new ObjectMapper().<JsonNode>valueToTree(MessagesJson.tree(MessagesJson.read(tree, "x"))));
  }

  @Test
  void aReplyAsJsonIsALine() throws IOException {
    Quern plain = chat("the day\nthe mom\n", "-q");
    assertEquals("", plain.err());
    Quern json = chat("the day\nthe mom\n", "--json", "--logprobs", "1");
    List<String> lines = json.out().lines().toList();
    assertEquals(2, lines.size(), json.out());
    for (int i = 0; i < 2; i++) {
      JsonNode reply = new ObjectMapper().readTree(lines.get(i));
      assertEquals(plain.out().lines().toList().get(i), reply.get("text").asText());
      assertEquals(reply.get("generatedTokens").intValue(), reply.get("tokens").size());
      assertEquals(reply.get("tokens").size(), reply.get("logprobs").size());
      assertTrue(reply.get("report").get("kernels").size() > 4, lines.get(i));
    }
    assertFalse(json.err().contains("load "), json.err());
  }

  @Test
  void helpNamesEveryCommand() {
    String help = chat("/help\n").err();
    for (String command : Conversation.commands().names()) {
      assertTrue(help.contains("  " + command + " "), help);
    }
  }
}
