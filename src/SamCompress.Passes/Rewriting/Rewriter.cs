using SamCompress.IR;

namespace SamCompress.Passes.Rewriting;

/// <summary>
/// Applies rewrite rules until none matches, in one sweep over the nodes: new nodes and the users of what changed are looked at again.
/// A rule is applied whole or not at all.
/// </summary>
/// <remarks>Guards of its own: no value inside a match is used outside it, and the replacement has the element type and shape of what it replaces.</remarks>
public class Rewriter : Pass
{
    private readonly string? _name;
    private readonly Dictionary<(string Domain, string OpType), List<RewriteRule>> _rulesByRoot = [];
    private readonly List<RewriteRule> _rulesForAny = [];

    public Rewriter(params IReadOnlyList<RewriteRule> rules)
        : this(null, rules)
    {
    }

    /// <param name="name">Of the pass; default: that of the only rule.</param>
    public Rewriter(string? name, IReadOnlyList<RewriteRule> rules)
    {
        Rules = rules;
        _name = name ?? (rules.Count == 1 ? rules[0].Name : null);
        foreach (RewriteRule rule in rules)
        {
            if (rule.CachedPattern.RootOperators is not { } roots)
            {
                _rulesForAny.Add(rule);
                continue;
            }

            foreach ((string, string) root in roots)
            {
                if (!_rulesByRoot.TryGetValue(root, out List<RewriteRule>? list))
                    _rulesByRoot[root] = list = [];
                list.Add(rule);
            }
        }
    }

    public IReadOnlyList<RewriteRule> Rules { get; }

    public override string Name => _name ?? base.Name;

    public override int Apply(Model model, PassContext context)
    {
        int changes = 0;
        foreach (Graph graph in model.AllGraphs().ToList())
            changes += ApplyToGraph(model, graph, context);
        return changes;
    }

    private int ApplyToGraph(Model model, Graph graph, PassContext context)
    {
        int changes = 0;
        var pending = new Queue<Node>(graph.Nodes);
        var queued = new HashSet<Node>(graph.Nodes);
        while (pending.TryDequeue(out Node? node))
        {
            queued.Remove(node);
            if (node.Graph != graph)
                continue;
            context.Cancellation.ThrowIfCancellationRequested();
            foreach (RewriteRule rule in RulesFor(node))
            {
                if (TryApply(rule, node, model, context) is not { } touched)
                    continue;
                changes++;
                foreach (Node again in touched)
                {
                    if (again.Graph == graph && queued.Add(again))
                        pending.Enqueue(again);
                }

                if (node.Graph != graph)
                    break;
            }
        }

        return changes;
    }

    private IEnumerable<RewriteRule> RulesFor(Node node) =>
        _rulesByRoot.TryGetValue((node.Domain, node.OpType), out List<RewriteRule>? rules) ? rules.Concat(_rulesForAny) : _rulesForAny;

    /// <returns>The nodes to look at again, or null when nothing was changed.</returns>
    private static List<Node>? TryApply(RewriteRule rule, Node node, Model model, PassContext context)
    {
        foreach (Value? output in node.Outputs)
        {
            if (output is { IsUsed: true } && TryApply(rule, node, output, model, context) is { } touched)
                return touched;
        }

        return null;
    }

    private static List<Node>? TryApply(RewriteRule rule, Node node, Value root, Model model, PassContext context)
    {
        var state = new MatchState();
        List<Node>? touched = null;
        string? reason = null;
        int matched = 0;
        _ = rule.CachedPattern.Match(root, state, () =>
        {
            var match = new Match(root, state);
            var builder = new GraphBuilder(model, node, root.Name);
            if (state.FindOutsideUse(root) is { } shared)
                match.Reject($"'{shared.Name}' is used outside the match");
            else if (rule.RewriteMatch(match, builder) is { } replacement)
                touched = Commit(rule, match, builder, replacement, context, ref reason);
            if (touched is null)
                builder.Discard();
            reason ??= match.Reason;
            matched = Math.Max(matched, state.Nodes.Count);
            return touched is not null;
        });
        if (touched is null && (reason is not null || state.MostNodes > 1))
            context.Missed(new Rejection(rule.Name, node.ToString(), reason ?? "the rest of the pattern does not match", Math.Max(matched, state.MostNodes)));
        return touched;
    }

    private static List<Node>? Commit(RewriteRule rule, Match match, GraphBuilder builder, Value replacement, PassContext context, ref string? reason)
    {
        Value root = match.Root;
        Graph graph = builder.Graph;
        if (ReferenceEquals(replacement, root))
            throw new InvariantException($"rule {rule.Name} replaces {root} by itself");
        if (Contradicts(root, replacement))
            throw new InvariantException($"rule {rule.Name} would replace {root} by {replacement}");
        if (root.IsGraphOutput && root.Producer!.Is("Identity") && (replacement.Producer is null || replacement.IsGraphOutput || replacement.Graph != graph))
        {
            reason = "the graph output needs a node of its own, because the value is an input, an initializer or another output";
            return null;
        }

        if (!context.Step(root.Producer!, rule.Name))
            return null;
        if (replacement.ElementType == ElementType.Undefined)
            replacement.ElementType = root.ElementType;
        if (replacement.Shape is null || (root.Shape is { IsStatic: true } && !replacement.Shape.IsStatic))
            replacement.Shape = root.Shape;
        List<Node> touched = [.. builder.Nodes, .. root.Uses.Select(u => u.Node)];
        List<Node> old = [.. match.Nodes];
        string name = root.Name;
        string nodeName = root.Producer!.Name;
        graph.Substitute(root, replacement);
        if (replacement.Producer is { } producer)
            touched.Add(producer);
        RemoveUnused(old, touched);
        if (replacement.Producer is { } last && builder.Nodes.Contains(last) && root.Graph is null)
        {
            // What stands in for a value goes by its name, in reports as in statistics; its node too, unless the rule named it.
            if (last.Name.Length == 0)
                last.Name = nodeName;
            if (!replacement.IsGraphOutput)
                replacement.Name = graph.FreshName(name);
        }

        return touched;
    }

    private static bool Contradicts(Value root, Value replacement)
    {
        if (root.ElementType != ElementType.Undefined && replacement.ElementType != ElementType.Undefined && root.ElementType != replacement.ElementType)
            return true;
        if (root.Shape is not { } before || replacement.Shape is not { } after)
            return false;
        return before.Rank != after.Rank || before.Zip(after).Any(d => d.First.Value is { } x && d.Second.Value is { } y && x != y);
    }

    /// <summary>Removes the nodes of the match that nothing uses any more, users before producers.</summary>
    private static void RemoveUnused(List<Node> nodes, List<Node> touched)
    {
        bool removed = true;
        while (removed)
        {
            removed = false;
            foreach (Node node in nodes)
            {
                if (node.Graph is not { } graph || node.Outputs.Any(o => o is { IsUsed: true }))
                    continue;
                touched.AddRange(node.Inputs.Select(i => i?.Producer).OfType<Node>());
                graph.Remove(node);
                removed = true;
            }
        }
    }
}
