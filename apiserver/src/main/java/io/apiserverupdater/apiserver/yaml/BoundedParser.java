package io.apiserverupdater.apiserver.yaml;

import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.events.Event;
import org.yaml.snakeyaml.events.NodeEvent;
import org.yaml.snakeyaml.parser.Parser;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;

/**
 * Bounds how many values a text holds: what is made of one takes about 200 bytes of memory, whether
 * it is a token of a kilobyte or the half of {@code []}. For one thread.
 */
public final class BoundedParser implements Parser {
  /** So many fit into the heap of 24 MiB that the updater is shipped with. */
  public static final int MAX_VALUES = 50_000;

  /** There are more values. The message is for people. */
  public static final class TooManyValuesException extends YAMLException {
    public TooManyValuesException() {
      super("more than " + MAX_VALUES + " values");
    }
  }

  private final Parser parser;
  private int values;
  private int line = 1;

  public BoundedParser(String text, LoaderOptions limits) {
    parser = new ParserImpl(new StreamReader(text), limits);
  }

  /** The line that was read last, from 1. */
  public int line() {
    return line;
  }

  @Override
  public boolean checkEvent(Event.ID choice) {
    return parser.checkEvent(choice);
  }

  @Override
  public Event peekEvent() {
    return parser.peekEvent();
  }

  @Override
  public Event getEvent() {
    Event event = parser.getEvent();
    line = event.getStartMark().getLine() + 1;
    if (event instanceof NodeEvent && ++values > MAX_VALUES) {
      throw new TooManyValuesException();
    }
    return event;
  }
}
