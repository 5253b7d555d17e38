package dev.quern.springai;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.ai.chat.client.AdvisorParams;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.client.advisor.MessageChatMemoryAdvisor;
import org.springframework.ai.chat.memory.ChatMemory;
import org.springframework.ai.chat.memory.MessageWindowChatMemory;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.MessageType;
import org.springframework.ai.chat.model.ChatModel;
import org.springframework.ai.chat.model.ChatResponse;
import org.springframework.ai.chat.prompt.ChatOptions;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.tool.annotation.Tool;
import reactor.core.publisher.Flux;

/// What an application has of it, through Spring AI's own client.
@Timeout(60)
class ChatClientTest {
  private static DemoModels demo;

  @BeforeAll
  static void load() throws Exception {
    demo = DemoModels.open();
  }

  @AfterAll
  static void close() {
    demo.close();
  }

  private static ChatClient client(int maxTokens) {
    return ChatClient.create(demo.chatModel(maxTokens));
  }

  @Test
  void callsAndStreams() {
    String whole = client(16).prompt().system("Tell.").user("Once upon a time").call().content();
    assertFalse(whole.isBlank());
    List<String> pieces =
        client(16).prompt().system("Tell.").user("Once upon a time").stream()
            .content()
            .collectList()
            .block();
    assertEquals(whole, String.join("", pieces));
    assertTrue(pieces.size() > 3);
  }

  @Test
  void optionsOfARequestGoOverTheModels() {
    ChatResponse response =
        client(16)
            .prompt("Once upon a time")
            .options(QuernChatOptions.builder().maxTokens(3))
            .call()
            .chatResponse();
    assertEquals(3, response.getMetadata().getUsage().getCompletionTokens());
    assertEquals(
        4,
        client(16)
            .prompt("Once upon a time")
            .options(ChatOptions.builder().maxTokens(4))
            .call()
            .chatResponse()
            .getMetadata()
            .getUsage()
            .getCompletionTokens());
  }

  enum Mood {
    HAPPY,
    SAD
  }

  record Character(String name, int age, Mood mood, List<String> friends) {}

  @Test
  void anEntityFitsItsSchemaWhateverTheModel() {
    Character character =
        client(400)
            .prompt("A character, please.")
            .advisors(AdvisorParams.ENABLE_NATIVE_STRUCTURED_OUTPUT)
            .call()
            .entity(Character.class);
    assertTrue(List.of(Mood.values()).contains(character.mood()), character.toString());
  }

  static final class Weather {
    private final List<String> asked = new ArrayList<>();

    @Tool(description = "The weather at a place")
    String weather(String place, boolean tomorrow) {
      asked.add(place);
      return "sunny";
    }
  }

  /// The model itself, but for the first prompt of a conversation, which must be answered by a
  /// call.
  private record CallsFirst(QuernChatModel chat, List<Prompt> prompts) implements ChatModel {
    @Override
    public ChatResponse call(Prompt prompt) {
      return chat.call(next(prompt));
    }

    @Override
    public Flux<ChatResponse> stream(Prompt prompt) {
      return chat.stream(next(prompt));
    }

    private Prompt next(Prompt prompt) {
      prompts.add(prompt);
      QuernChatOptions options = (QuernChatOptions) prompt.getOptions();
      boolean first = prompts.size() == 1;
      return prompt
          .mutate()
          .chatOptions(
              options
                  .mutate()
                  .toolChoice(first ? "weather" : "none")
                  .maxTokens(first ? 500 : 8)
                  .build())
          .build();
    }

    @Override
    public ChatOptions getOptions() {
      return chat.getOptions();
    }
  }

  @Test
  void aToolIsCalledAndAnswers() {
    Weather weather = new Weather();
    List<Prompt> prompts = new ArrayList<>();
    ChatClient client = ChatClient.create(new CallsFirst(demo.chatModel(8), prompts));
    String reply = client.prompt("Will it rain?").tools(weather).call().content();
    assertRoundTrip(weather, prompts, reply);
  }

  @Test
  void aToolIsCalledInAStream() {
    Weather weather = new Weather();
    List<Prompt> prompts = new ArrayList<>();
    ChatClient client = ChatClient.create(new CallsFirst(demo.chatModel(8), prompts));
    String reply =
        String.join(
            "",
            client.prompt("Will it rain?").tools(weather).stream().content().collectList().block());
    assertRoundTrip(weather, prompts, reply);
  }

  private static void assertRoundTrip(Weather weather, List<Prompt> prompts, String reply) {
    assertEquals(1, weather.asked.size());
    assertEquals(2, prompts.size());
    List<Message> turns = prompts.getLast().getInstructions();
    assertEquals(
        List.of(MessageType.USER, MessageType.ASSISTANT, MessageType.TOOL),
        turns.stream().map(Message::getMessageType).toList());
    assertTrue(turns.getLast().toString().contains("sunny"), turns.toString());
    assertFalse(reply.isBlank());
    assertFalse(reply.contains("tool_call"), reply);
  }

  @Test
  void memoryIsPartOfThePrompt() {
    ChatMemory memory = MessageWindowChatMemory.builder().build();
    ChatClient client =
        ChatClient.builder(demo.chatModel(6))
            .defaultAdvisors(MessageChatMemoryAdvisor.builder(memory).build())
            .build();
    ChatResponse first = ask(client, "Once upon a time");
    ChatResponse second = ask(client, "And then?");
    assertTrue(
        second.getMetadata().getUsage().getPromptTokens()
            > first.getMetadata().getUsage().getPromptTokens() + 6);
    assertEquals(
        List.of(MessageType.USER, MessageType.ASSISTANT, MessageType.USER, MessageType.ASSISTANT),
        memory.get("one").stream().map(Message::getMessageType).toList());
  }

  private static ChatResponse ask(ChatClient client, String text) {
    return client
        .prompt(text)
        .advisors(a -> a.param(ChatMemory.CONVERSATION_ID, "one"))
        .call()
        .chatResponse();
  }
}
