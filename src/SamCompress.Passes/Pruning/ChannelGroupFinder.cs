using System.Collections.Immutable;
using System.Text;
using SamCompress.IR;
using SamCompress.Passes.Attention;
using SamCompress.Passes.Pruning.Tracing;

namespace SamCompress.Passes.Pruning;

/// <summary>
/// Finds which channels of a graph can only be taken away together, by following each axis of each weight through the graph: no names, no list of architectures.
/// Channels are one group when the same axes of the same constants hold them, equally often.
/// </summary>
/// <remarks>
/// Needs a cleaned graph with static shapes, where LayerNormalization is one operator. What cannot be followed stays as it is, and says why. Query, key and value of a Softmax attention
/// get one set of channels even where nothing ties the value to the query, so that heads have one size. Source: algorithms.md 3.2.
/// </remarks>
public sealed class ChannelGroupFinder
{
    private readonly ChannelTrace _trace;
    private readonly List<(Use Use, int Axis, int[] Labels)> _members = [];

    private ChannelGroupFinder(Model model)
    {
        _trace = ChannelTrace.Of(model.Graph);
        TieHeads(model);
        foreach ((Use use, int[]?[] axes) in _trace.Constants)
        {
            for (int axis = 0; axis < axes.Length; axis++)
            {
                if (axes[axis] is { } labels)
                    _members.Add((use, axis, labels));
            }
        }
    }

    public static ChannelGroups Find(Model model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ChannelGroupFinder(model).Groups(model.Graph);
    }

    /// <summary>The channel of a head is the same in query, key and value.</summary>
    private void TieHeads(Model model)
    {
        foreach (AttentionBlock block in AttentionFinder.Find(model).Blocks)
        {
            if (block is not { QueryKey: { } product, Value.Value: { } value } || Columns(product.Query) is not { } queries || Columns(product.Key) is not { } keys || Columns(value) is not { } values)
                continue;
            if (queries.Length != keys.Length || product.Query.HeadSize != value.HeadSize)
                continue;
            int size = product.Query.HeadSize;
            for (int i = 0; i < queries.Length; i++)
                _trace.Labels.Union(queries[i], keys[i]);
            for (int i = 0; i < values.Length; i++)
                _trace.Labels.Union(queries[i % size], values[i]);
        }
    }

    private int[]? Columns(AttentionOperand operand) =>
        _trace.Of(operand.Layer.Output)?[^1] is { } labels ? [.. operand.Columns.Select(c => labels[c])] : null;

    private ChannelGroups Groups(Graph graph)
    {
        var roots = new Dictionary<int, StringBuilder>();
        for (int m = 0; m < _members.Count; m++)
        {
            foreach (IGrouping<int, int> positions in _members[m].Labels.GroupBy(_trace.Labels.Root))
            {
                if (!roots.TryGetValue(positions.Key, out StringBuilder? signature))
                    roots[positions.Key] = signature = new StringBuilder();
                signature.Append(m).Append('x').Append(positions.Count()).Append(' ');
            }
        }

        var groups = new List<ChannelGroup>();
        var refused = new List<RefusedChannels>();
        var places = new Dictionary<int, (int, int)>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (IGrouping<string, int> alike in roots.GroupBy(r => r.Value.ToString(), r => r.Key, StringComparer.Ordinal))
        {
            int[] channels = [.. alike];
            string? pin = channels.Select(_trace.Labels.PinOf).FirstOrDefault(why => why is not null);
            ChannelMember[] members = [.. Members(alike.Key, channels)];
            if (!members.Any(m => m.IsOutput && m.IsWeight))
                continue;
            string name = ChannelNames.Of(members);
            for (int number = 2; !names.Add(name); number++)
                name = $"{ChannelNames.Of(members)} ({number})";
            if (pin is not null || channels.Length < 2)
            {
                refused.Add(new RefusedChannels(name, channels.Length, pin ?? "there is one channel only"));
                continue;
            }

            for (int c = 0; c < channels.Length; c++)
                places[channels[c]] = (groups.Count, c);
            ChannelTraits traits = channels.Aggregate(ChannelTraits.None, (all, channel) => all | _trace.Labels.TraitsOf(channel));
            groups.Add(new ChannelGroup
            {
                Name = name,
                Kind = KindOf(traits, members),
                Size = channels.Length,
                Copies = CopiesIn(members),
                IsNormalized = traits.HasFlag(ChannelTraits.Normalized),
                Members = members,
                SizedNodes = [],
            });
        }

        return new ChannelGroups(WithSizedNodes(graph, groups, places), refused, _trace, places);
    }

    private IEnumerable<ChannelMember> Members(string signature, int[] channels)
    {
        Dictionary<int, int> places = channels.Select((root, c) => (root, c)).ToDictionary(p => p.root, p => p.c);
        foreach (string part in signature.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            (Use use, int axis, int[] labels) = _members[int.Parse(part[..part.IndexOf('x', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture)];
            (bool isWeight, bool isOutput) = WeightRole.Of(use, axis);
            yield return new ChannelMember
            {
                Initializer = use.Node.Input(use.InputIndex)!.Name,
                Reader = use.Node,
                InputIndex = use.InputIndex,
                Axis = axis,
                Channels = [.. labels.Select(label => places.GetValueOrDefault(_trace.Labels.Root(label), -1))],
                IsWeight = isWeight,
                IsOutput = isOutput,
            };
        }
    }

    /// <summary>A convolution with groups has on the axis of its inputs one group only.</summary>
    private static int CopiesIn(ChannelMember[] members)
    {
        ChannelMember[] whole = [.. members.Where(m => m.IsWeight && m.Reader.GetInt("group", 1) == 1)];
        return (whole.Length > 0 ? whole : members).Min(m => m.Channels.Count(c => c == 0));
    }

    private static ChannelGroupKind KindOf(ChannelTraits traits, ChannelMember[] members) =>
        traits.HasFlag(ChannelTraits.Contracted) ? ChannelGroupKind.AttentionHead
        : traits.HasFlag(ChannelTraits.Residual) ? ChannelGroupKind.Embedding
        : members.Any(m => m is { IsWeight: true, Reader.OpType: "Conv" or "ConvTranspose" }) ? traits.HasFlag(ChannelTraits.Normalized) ? ChannelGroupKind.Neck : ChannelGroupKind.ConvChannels
        : ChannelGroupKind.MlpHidden;

    private ChannelGroup[] WithSizedNodes(Graph graph, List<ChannelGroup> groups, Dictionary<int, (int Group, int Channel)> places)
    {
        var nodes = new List<Node>[groups.Count];
        foreach (Node node in graph.Nodes)
        {
            IEnumerable<int> roots = SizeConstants.Watched(_trace, node).SelectMany(axis => axis).Select(_trace.Labels.Root).Distinct();
            foreach (int group in roots.Where(places.ContainsKey).Select(root => places[root].Group).Distinct())
                (nodes[group] ??= []).Add(node);
        }

        return [.. groups.Select((g, i) => g with { SizedNodes = nodes[i] ?? [] })];
    }
}
