package dev.quern.llama.chat;

import dev.quern.llama.Generation;
import dev.quern.llama.Piece;
import dev.quern.llama.PieceListener;
import dev.quern.llama.tokenizer.ChatMessage.ToolCall;
import dev.quern.llama.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Tells a reply's text from its thoughts and its calls while it comes: text is handed on as soon
/// as it can't be the beginning of one of these any more. For one thread at a time; what it has
/// found is for any, once the reply has ended.
final class ReplyReader implements PieceListener {
  private enum Phase {
    BEGINNING, // white space, or the beginning of a thought's frame
    THINKING,
    SPEAKING
  }

  private final Optional<CallParser> parser;
  private final List<String> trigger; // what a call begins with; empty where nothing does
  private final ChatListener listener;
  private final CallTeller teller;
  private final ReplyText reply;
  private final StringBuilder text = new StringBuilder();
  private final StringBuilder thoughts = new StringBuilder();
  private final List<ToolCall> calls = new ArrayList<>();
  private Phase phase;
  private boolean thought; // there was one
  private int thoughtTokens; // of what came before the text, if that was a thought
  private int spoken; // where what is no thought begins
  private int searched; // before which no frame begins
  private boolean behindFrame; // and there was nothing else since

  /// @param frame of calls, if there may be some
  ReplyReader(
      Tokenizer tokenizer, Optional<ToolFrame> frame, Thoughts thoughts, ChatListener listener) {
    this.listener = listener;
    teller = new CallTeller(listener);
    reply = new ReplyText(tokenizer);
    parser = frame.map(CallParser::new);
    trigger = frame.map(ReplyReader::trigger).filter(t -> !t.isEmpty()).stream().toList();
    phase =
        switch (thoughts) {
          case NONE -> Phase.SPEAKING;
          case POSSIBLE -> Phase.BEGINNING;
          case OPEN -> Phase.THINKING;
        };
    thought = behindFrame = thoughts == Thoughts.OPEN;
  }

  /// A frame's beginning, as far as it is the same in each call and has no white space.
  private static String trigger(ToolFrame frame) {
    String begin = frame.begin().strip();
    int end = 0;
    while (end < begin.length()
        && !Character.isWhitespace(begin.charAt(end))
        && begin.charAt(end) != FrameText.ID
        && begin.charAt(end) != FrameText.INDEX) {
      end++;
    }
    return begin.substring(0, end);
  }

  /// The reply's text so far, without thoughts and calls.
  String text() {
    return text.toString();
  }

  /// The thoughts so far.
  String thoughts() {
    return thoughts.toString();
  }

  /// How many tokens the thoughts took, with their frame.
  int thoughtTokens() {
    return thought ? thoughtTokens : 0;
  }

  /// The calls so far.
  List<ToolCall> calls() {
    return List.copyOf(calls);
  }

  @Override
  public void accept(Piece piece) {
    if (phase == Phase.SPEAKING && parser.isEmpty() && !behindFrame) {
      heard(piece);
      return;
    }
    if (phase != Phase.SPEAKING) {
      thoughtTokens += piece.tokens().size();
    }
    reply.add(piece);
    look(false);
  }

  @Override
  public void end(Generation generation) {
    look(true);
  }

  private void heard(Piece piece) {
    text.append(piece.text());
    listener.text(piece);
  }

  private void thought(Piece piece) {
    thoughts.append(piece.text());
    listener.thought(piece);
  }

  /// @param last whether the reply has ended
  private void look(boolean last) {
    if (phase == Phase.BEGINNING) {
      begin(last);
    }
    if (phase == Phase.THINKING) {
      think(last);
    }
    if (phase == Phase.SPEAKING) {
      speak(last);
    }
  }

  /// Looks whether the reply begins with a thought.
  private void begin(boolean last) {
    String begun = reply.all().toString().stripLeading();
    int at = reply.length() - begun.length();
    for (String frame : Thoughts.BEGINS) {
      if (begun.startsWith(frame)) {
        thought = true;
        passFrame(at + frame.length());
        phase = Phase.THINKING;
        return;
      }
    }
    if (last || Thoughts.BEGINS.stream().noneMatch(frame -> frame.startsWith(begun))) {
      phase = Phase.SPEAKING;
    }
  }

  private void think(boolean last) {
    passSpace();
    int at = reply.find(Thoughts.ENDS, searched);
    if (at < 0) {
      int end = last ? reply.length() : reply.undecided(Thoughts.ENDS, searched);
      reply.handOn(end, this::thought);
      searched = Math.max(searched, end);
      return;
    }
    reply.handOn(reply.beforeSpace(at), this::thought);
    passFrame(at + length(Thoughts.ENDS, at));
    spoken = reply.handled();
    phase = Phase.SPEAKING;
  }

  private int length(List<String> texts, int at) {
    String rest = reply.all().subSequence(at, reply.length()).toString();
    return texts.stream().filter(rest::startsWith).mapToInt(String::length).findFirst().orElse(0);
  }

  /// Hands on what is text, and takes calls out.
  private void speak(boolean last) {
    while (true) {
      passSpace();
      int at = parser.isPresent() ? call() : -1;
      if (at < 0) {
        int end = last || parser.isEmpty() ? reply.length() : reply.undecided(trigger, searched);
        reply.handOn(end, this::heard);
        searched = Math.max(searched, end);
        return;
      }
      CallParser.Found found = parser.get().read(reply.all(), at, last);
      if (!found.isText()) {
        reply.handOn(reply.beforeSpace(at), this::heard);
      }
      teller.tell(reply.all(), found);
      if (found.isOpen()) {
        searched = at;
        return;
      }
      if (found.isText()) {
        searched = at + 1;
        continue;
      }
      calls.addAll(found.calls());
      passFrame(found.end());
    }
  }

  /// Leaves out a frame up to its end, and white space behind it, which may be still to come.
  private void passFrame(int end) {
    reply.leaveOut(end);
    behindFrame = true;
    passSpace();
  }

  private void passSpace() {
    if (behindFrame) {
      reply.leaveOut(reply.handled());
      behindFrame = reply.handled() == reply.length();
      searched = Math.max(searched, reply.handled());
    }
  }

  /// Where a call may begin; negative where none does so far.
  private int call() {
    if (!trigger.isEmpty()) {
      return reply.find(trigger, searched);
    }
    CharSequence rest = reply.all().subSequence(spoken, reply.length());
    int at = spoken + FrameText.behindTokens(rest);
    return searched <= at && at < reply.length() && reply.all().charAt(at) == '{' ? at : -1;
  }
}
