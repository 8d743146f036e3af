package io.apiserverupdater.sandbox;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/** Which requests meet which {@link Fault}. Rules are asked in the order of adding. Thread-safe. */
public final class FaultPlan {
  private final List<Rule> rules = new CopyOnWriteArrayList<>();
  private final Runnable afterChange;

  FaultPlan(Runnable afterChange) {
    this.afterChange = afterChange;
  }

  /** A fault that is in force, and how often it struck. */
  public final class Rule {
    private final Predicate<RequestInfo> requests;
    private final Fault fault;
    private final AtomicInteger left;
    private final AtomicInteger hits = new AtomicInteger();

    private Rule(Predicate<RequestInfo> requests, Fault fault, int times) {
      this.requests = requests;
      this.fault = fault;
      this.left = new AtomicInteger(times);
    }

    public int hits() {
      return hits.get();
    }

    /** Ends the fault for later requests, and for those that it holds. */
    public void clear() {
      rules.remove(this);
      left.set(0);
      afterChange.run();
    }

    boolean isInForce() {
      return rules.contains(this);
    }

    private boolean strikes(RequestInfo request) {
      boolean struck = requests.test(request) && left.getAndUpdate(n -> n > 0 ? n - 1 : 0) > 0;
      if (struck) {
        hits.incrementAndGet();
      }
      return struck;
    }
  }

  /** A rule that struck a request. */
  record Strike(Rule rule, Fault fault) {}

  /** The next so many matching requests meet the fault. */
  public Rule next(int times, Predicate<RequestInfo> requests, Fault fault) {
    Rule rule = new Rule(requests, fault, times);
    rules.add(rule);
    return rule;
  }

  /** All matching requests meet the fault, until it is cleared. */
  public Rule always(Predicate<RequestInfo> requests, Fault fault) {
    return next(Integer.MAX_VALUE, requests, fault);
  }

  public void clearAll() {
    rules.forEach(Rule::clear);
  }

  Optional<Strike> strike(RequestInfo request) {
    for (Rule rule : rules) {
      if (rule.strikes(request)) {
        return Optional.of(new Strike(rule, rule.fault));
      }
    }
    return Optional.empty();
  }
}
