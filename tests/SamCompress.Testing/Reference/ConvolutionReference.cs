namespace SamCompress.Testing.Reference;

/// <summary>Convolutions and pools along one or two axes.</summary>
internal static class ConvolutionReference
{
    public static void AddTo(Action<string, Func<ReferenceCall, ReferenceTensor>> add)
    {
        add("Conv", Conv);
        add("ConvTranspose", ConvTranspose);
        add("AveragePool", AveragePool);
        add("GlobalAveragePool", call => ReductionReference.Reduce(call[0], [.. Enumerable.Range(2, call[0].Rank - 2)], keep: true, ReductionReference.Mean));
    }

    private static ReferenceTensor Conv(ReferenceCall call)
    {
        ReferenceTensor x = Planes(call[0]), w = Planes(call[1]);
        Window window = Window.Of(call, w.Shape[2..], x.Shape[2..]);
        int groups = (int)call.Node.GetInt("group", 1), batch = x.Shape[0], channels = w.Shape[1], outputs = w.Shape[0], plane = window.Positions[0] * window.Positions[1];
        double[] data = new double[batch * outputs * plane];
        (int, int, int)[] pairs = window.Pairs();
        Parallel.For(0, batch * outputs, n =>
        {
            int first = n % outputs / (outputs / groups) * channels;
            Span<double> sums = data.AsSpan(n * plane, plane);
            sums.Fill(call.Optional(2)?.Data[n % outputs] ?? 0);
            for (int c = 0; c < channels; c++)
            {
                foreach ((int kernel, int position, int source) in pairs)
                    sums[position] += w.Data[((((n % outputs) * channels) + c) * window.Size) + kernel] * x.Data[((((n / outputs) * x.Shape[1]) + first + c) * window.Source) + source];
            }
        });
        return new ReferenceTensor(x.Type, [batch, outputs, .. window.PositionsOf(call[0].Rank)], data);
    }

    private static ReferenceTensor ConvTranspose(ReferenceCall call)
    {
        ReferenceTensor x = Planes(call[0]), w = Planes(call[1]);
        int axes = call[0].Rank - 2, groups = (int)call.Node.GetInt("group", 1), inner = x.Shape[1] / groups, outer = w.Shape[1], batch = x.Shape[0], outputs = outer * groups;
        int[] rest = Window.Lifted(call.IntsOr("output_padding", axes, 0), 0), strides = Window.Lifted(call.IntsOr("strides", axes, 1), 1), dilations = Window.Lifted(call.IntsOr("dilations", axes, 1), 1), pads = Window.LiftedPads(call.IntsOr("pads", 2 * axes, 0));
        if (call.Node.Attribute("output_shape") is not null || call.Node.GetString("auto_pad", "NOTSET") != "NOTSET")
            throw call.Unsupported("computed pads");
        int[] size = [.. Enumerable.Range(0, 2).Select(a => ((x.Shape[a + 2] - 1) * strides[a]) + rest[a] + ((w.Shape[a + 2] - 1) * dilations[a]) + 1 - pads[a] - pads[a + 2])];
        var window = new Window(w.Shape[2..], strides, dilations, pads, size, x.Shape[2..]);
        double[] data = new double[batch * outputs * window.Source];
        (int, int, int)[] pairs = window.Pairs();
        Parallel.For(0, batch * outputs, n =>
        {
            int group = n % outputs / outer;
            Span<double> sums = data.AsSpan(n * window.Source, window.Source);
            sums.Fill(call.Optional(2)?.Data[n % outputs] ?? 0);
            for (int c = group * inner; c < (group + 1) * inner; c++)
            {
                foreach ((int kernel, int position, int source) in pairs)
                    sums[source] += w.Data[(((c * outer) + (n % outer)) * window.Size) + kernel] * x.Data[((((n / outputs) * x.Shape[1]) + c) * x.Shape[2] * x.Shape[3]) + position];
            }
        });
        return new ReferenceTensor(x.Type, [batch, outputs, .. axes == 1 ? size[1..] : size], data);
    }

    private static ReferenceTensor AveragePool(ReferenceCall call)
    {
        if (call.Node.GetInt("ceil_mode", 0) != 0)
            throw call.Unsupported("ceil_mode");
        ReferenceTensor x = Planes(call[0]);
        Window window = Window.Of(call, Window.Lifted([.. call.Node.GetInts("kernel_shape")!.Select(k => (int)k)], 1), x.Shape[2..]);
        bool countsPads = call.Node.GetInt("count_include_pad", 0) != 0;
        int plane = window.Positions[0] * window.Positions[1];
        double[] data = new double[x.Shape[0] * x.Shape[1] * plane];
        double[] counts = new double[plane];
        (int, int, int)[] pairs = window.Pairs();
        foreach ((_, int position, _) in pairs)
            counts[position]++;
        for (int n = 0; n < x.Shape[0] * x.Shape[1]; n++)
        {
            foreach ((_, int position, int source) in pairs)
                data[(n * plane) + position] += x.Data[(n * window.Source) + source] / (countsPads ? window.Size : counts[position]);
        }

        return new ReferenceTensor(x.Type, [x.Shape[0], x.Shape[1], .. window.PositionsOf(call[0].Rank)], data);
    }

    /// <summary>With two axes behind the channels.</summary>
    private static ReferenceTensor Planes(ReferenceTensor x) => x.Rank switch
    {
        3 => x with { Shape = [x.Shape[0], x.Shape[1], 1, x.Shape[2]] },
        4 => x,
        _ => throw new NotSupportedException($"{x.Rank - 2} axes"),
    };

    /// <summary>A window that goes over a plane.</summary>
    private sealed class Window(int[] kernel, int[] strides, int[] dilations, int[] pads, int[] source, int[] positions)
    {
        public int[] Positions { get; } = positions;

        public int Size { get; } = kernel[0] * kernel[1];

        public int Source { get; } = source[0] * source[1];

        public static Window Of(ReferenceCall call, int[] kernel, int[] source)
        {
            int axes = call[0].Rank - 2;
            int[] strides = Lifted(call.IntsOr("strides", axes, 1), 1), dilations = Lifted(call.IntsOr("dilations", axes, 1), 1), pads = LiftedPads(call.IntsOr("pads", 2 * axes, 0));
            int[] extent = [.. kernel.Select((k, a) => ((k - 1) * dilations[a]) + 1)];
            string mode = call.Node.GetString("auto_pad", "NOTSET");
            for (int a = 0; a < 2 && mode.StartsWith("SAME", StringComparison.Ordinal); a++)
            {
                int all = Math.Max(0, (((source[a] + strides[a] - 1) / strides[a]) - 1) * strides[a] + extent[a] - source[a]);
                (pads[a], pads[a + 2]) = mode == "SAME_UPPER" ? (all / 2, all - (all / 2)) : (all - (all / 2), all / 2);
            }

            return new Window(kernel, strides, dilations, pads, source, [.. source.Select((s, a) => ((s + pads[a] + pads[a + 2] - extent[a]) / strides[a]) + 1)]);
        }

        public static int[] Lifted(int[] one, int value) => one.Length == 1 ? [value, one[0]] : one;

        public static int[] LiftedPads(int[] pads) => pads.Length == 2 ? [0, pads[0], 0, pads[1]] : pads;

        public int[] PositionsOf(int rank) => rank == 3 ? Positions[1..] : Positions;

        /// <summary>Which element of the kernel meets which element of the plane at which position.</summary>
        public (int Kernel, int Position, int Source)[] Pairs() => [.. All()];

        private IEnumerable<(int Kernel, int Position, int Source)> All()
        {
            for (int ky = 0; ky < kernel[0]; ky++)
            {
                for (int kx = 0; kx < kernel[1]; kx++)
                {
                    for (int py = 0; py < Positions[0]; py++)
                    {
                        int y = (py * strides[0]) + (ky * dilations[0]) - pads[0];
                        for (int px = 0; px < Positions[1] && y >= 0 && y < source[0]; px++)
                        {
                            int x = (px * strides[1]) + (kx * dilations[1]) - pads[1];
                            if (x >= 0 && x < source[1])
                                yield return ((ky * kernel[1]) + kx, (py * Positions[1]) + px, (y * source[1]) + x);
                        }
                    }
                }
            }
        }
    }
}
