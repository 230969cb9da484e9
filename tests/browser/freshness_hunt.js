// 300 random lives of a page, each from its seed: outages of feed, stream, polls and fragments, sleep of the tab with
// and without its stopwatch, a visitor's clock that is wrong and jumps, answers that take long. Counts seconds in which
// old data is called live, and those in which it is called stale though it is not old at all.
async ({ path, lives, isBlind }) => {
  const { ServerClock, Parts, judge } = await import(path);
  const SECONDS = 2400;
  // So much older than it is the data may be believed to be.
  const NEAR_MS = 10000;
  const found = { lives, judged: 0, live: 0, doubtful: 0, stale: 0, falseFresh: [], needless: 0 };

  function numbers(seed) {
    let state = seed * 2654435761 + 12345;
    return () => {
      state = (Math.imul(state ^ (state >>> 15), 2246822519) + 3266489917) >>> 0;
      return (state ^ (state >>> 13)) >>> 0;
    };
  }

  function life(seed) {
    const next = numbers(seed);
    const random = () => (next() % 1000003) / 1000003;
    const span = (chance, longest) => (random() < chance ? [random() * SECONDS, 20 + random() * longest] : [Infinity, 0]);
    const outages = Object.fromEntries(['feed', 'stream', 'poll', 'figures', 'chart'].map((name) => [name, span(0.6, 900)]));
    const isOut = (name, t) => t >= outages[name][0] && t < outages[name][0] + outages[name][1];
    const [sleepAt, sleepFor] = span(0.7, 1200);
    const stopsWatch = random() < 0.5;
    const wrongBy = (random() - 0.5) * 1200000;
    const [jumpAt, , jumpBy] = [...span(0.3, 1), (random() - 0.5) * 1200000];
    const allowance = (random() < 0.5 ? 90 : 660) * 1000;
    const serverStart = 1760000000000 + random() * 1e9;

    let t = 0;
    const slept = () => (stopsWatch && t > sleepAt ? Math.min(t - sleepAt, sleepFor) * 1000 : 0);
    const elapsed = () => t * 1000 - slept();
    const wall = isBlind ? elapsed : () => serverStart + t * 1000 + wrongBy + (t > jumpAt ? jumpBy : 0);
    const server = () => serverStart + t * 1000;
    let dataAt = Math.floor(server() / 60000) * 60000;
    const clock = new ServerClock(server(), { elapsed, wall });
    const parts = new Parts(dataAt, allowance);
    for (const name of ['figures', 'chart']) parts.show(name, dataAt);
    const inFlight = [];
    let shown = { figures: dataAt, chart: dataAt };
    let [pollDue, askedFor] = [0, 0];

    const take = (tick) => {
      parts.tick(tick.dataAt, tick.dataAt + allowance);
      if (tick.dataAt <= askedFor) return;
      askedFor = tick.dataAt;
      for (const name of ['figures', 'chart']) inFlight.push({ due: t + random() * 3, name, dataAt });
    };

    for (; t < SECONDS; t += 1) {
      if (!isOut('feed', t)) dataAt = Math.floor(server() / 60000) * 60000;
      // The stream's messages wait while the tab sleeps, and come late at once.
      if (!isOut('stream', t) && t % 5 === 0) inFlight.push({ due: t + random() * 2, tick: { dataAt, now: server() }, isStream: true });
      if (t >= sleepAt && t < sleepAt + sleepFor) continue;
      for (const one of inFlight.splice(0).filter((one) => (one.due <= t ? one : (inFlight.push(one), false)))) {
        if (one.name) {
          if (isOut(one.name, t)) continue;
          shown[one.name] = one.dataAt;
          parts.show(one.name, one.dataAt);
        } else if (!one.isFailed) {
          clock.set(one.tick.now, one.isStream ? null : one.started);
          take(one.tick);
        }
      }
      const isDoubtful = clock.check();
      const asksNow = isDoubtful && !inFlight.some(({ isStream, name, started }) => !isStream && !name && started >= clock.doubtfulSince);
      if (t >= pollDue || asksNow) {
        pollDue = t + 10;
        const late = random() < 0.05 ? 10 + random() * 60 : random() * 6;
        inFlight.push({ due: t + late, started: elapsed(), isFailed: isOut('poll', t), tick: { dataAt, now: server() + late * 1000 * random() } });
      }
      const kind = judge({ now: clock.now(), asOf: parts.asOf, allowance: parts.allowance, isDoubtful });
      found.judged += 1;
      found[kind] += 1;
      const truly = server() - Math.min(shown.figures, shown.chart);
      if (kind === 'stale' && truly < allowance - NEAR_MS) found.needless += 1;
      if (kind === 'live' && truly > allowance + 1000) found.falseFresh.push({ seed, t, truly, allowance });
    }
  }

  for (let seed = 1; seed <= lives; seed += 1) life(seed);
  return { ...found, falseFresh: found.falseFresh.length, first: found.falseFresh[0] ?? null };
}
