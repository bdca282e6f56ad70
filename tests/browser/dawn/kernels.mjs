// What a GPU spends on each kernel, by timestamps around every dispatch: each is put into a pass of its own, which costs time, so
// that these are the kernels' times and the job's own are measured without.

/** Dispatches whose times one query set holds. */
const ROOM = 2048;
/** Bytes of a timestamp. */
const STAMP = 8;

/** Watches devices that are asked for from now on. Wants an instance whose timestamps are exact, see `adapter.mjs`. */
export function watch_kernels({ GPUAdapter, GPUDevice, GPUCommandEncoder, GPUQueue, GPUBufferUsage, GPUMapMode }) {
  /** By kernel and number of workgroups: `{ kernel, grid, count, nanoseconds }`. */
  let sums = new Map();
  let device;
  /** Query sets that can be written, and those whose times are not read yet. */
  const free = [];
  let open;
  const pending = new Set();
  const names = new Map();

  const plain = {
    request: GPUAdapter.prototype.requestDevice,
    pipeline: GPUDevice.prototype.createComputePipeline,
    pass: GPUCommandEncoder.prototype.beginComputePass,
    submit: GPUQueue.prototype.submit,
  };

  const set_of_stamps = () => free.pop() ?? {
    queries: device.createQuerySet({ type: "timestamp", count: 2 * ROOM }),
    resolved: device.createBuffer({ size: 2 * ROOM * STAMP, usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC }),
    read: device.createBuffer({ size: 2 * ROOM * STAMP, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST }),
    of: [],
  };

  /** Has the times of `set` read, once everything that writes them is submitted. */
  async function read(set) {
    const encoder = device.createCommandEncoder();
    encoder.resolveQuerySet(set.queries, 0, 2 * set.of.length, set.resolved, 0);
    encoder.copyBufferToBuffer(set.resolved, 0, set.read, 0, 2 * set.of.length * STAMP);
    plain.submit.call(device.queue, [encoder.finish()]);
    await set.read.mapAsync(GPUMapMode.READ);
    const stamps = new BigUint64Array(set.read.getMappedRange());
    set.of.forEach(({ kernel, grid }, i) => {
      const key = `${kernel} ${grid}`;
      if (!sums.has(key)) sums.set(key, { kernel, grid, count: 0, nanoseconds: 0 });
      const sum = sums.get(key);
      sum.count += 1;
      sum.nanoseconds += Number(stamps[2 * i + 1] - stamps[2 * i]);
    });
    set.read.unmap();
    Object.assign(set, { of: [], is_submitted: false, done: undefined });
    pending.delete(set);
    free.push(set);
  }

  Object.defineProperty(GPUAdapter.prototype, "requestDevice", {
    value: async function (asked) {
      const requiredFeatures = [...new Set([...(asked?.requiredFeatures ?? []), "timestamp-query"])];
      device = await plain.request.call(this, { ...asked, requiredFeatures });
      return device;
    },
  });
  Object.defineProperty(GPUDevice.prototype, "createComputePipeline", {
    value: function (asked) {
      const pipeline = plain.pipeline.call(this, asked);
      // The same name may be several kernels', for other sizes: the number tells them apart.
      names.set(pipeline, `${names.size} ${(asked.label ?? "").split("_").slice(0, 2).join("_")}`);
      return pipeline;
    },
  });
  Object.defineProperty(GPUCommandEncoder.prototype, "beginComputePass", {
    value: function () {
      const encoder = this;
      let pipeline;
      const groups = new Map();
      return {
        setPipeline: (one) => (pipeline = one),
        setBindGroup: (at, ...group) => groups.set(at, group),
        dispatchWorkgroups: (...grid) => {
          open ??= set_of_stamps();
          const at = 2 * open.of.length;
          open.of.push({ kernel: names.get(pipeline), grid: grid.join(" x ") });
          const timestampWrites = { querySet: open.queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
          const pass = plain.pass.call(encoder, { timestampWrites });
          pass.setPipeline(pipeline);
          for (const [at, group] of groups) pass.setBindGroup(at, ...group);
          pass.dispatchWorkgroups(...grid);
          pass.end();
          if (open.of.length === ROOM) {
            pending.add(open);
            open = undefined;
          }
        },
        end: () => {},
      };
    },
  });
  Object.defineProperty(GPUQueue.prototype, "submit", {
    value: function (commands) {
      plain.submit.call(this, commands);
      // What one submission writes: a set may be full before its last pass is submitted, so it is read at the next.
      for (const set of pending) {
        if (set.is_submitted) set.done ??= read(set);
        set.is_submitted = true;
      }
    },
  });

  return {
    /** Forgets what was measured. */
    async clear() {
      await this.times();
      sums = new Map();
    },
    /** What was measured, in no order. */
    async times() {
      if (open?.of.length) pending.add(open);
      open = undefined;
      await Promise.all([...pending].map((set) => (set.done ??= read(set))));
      return [...sums.values()];
    },
  };
}
