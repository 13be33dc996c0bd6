namespace SamCompress.IR.Analysis;

/// <summary>The rules of the functions of a model: names, interface, and that none calls itself by any way.</summary>
internal sealed class FunctionRules
{
    private const int MaxCallDepth = 100;

    private readonly Model _model;
    private readonly CheckReport _report;
    private readonly Dictionary<(string Domain, string Name, string Overload), Function> _functions = [];

    public FunctionRules(Model model, CheckReport report)
    {
        _model = model;
        _report = report;
        foreach (Function function in model.Functions)
            _functions.TryAdd((function.Domain, function.Name, function.Overload), function);
    }

    /// <summary>The function that a node calls, or null.</summary>
    public Function? Find(Node node) =>
        _functions.Count == 0 ? null : _functions.GetValueOrDefault((node.Domain, node.OpType, node.Shell.Overload));

    public void Check()
    {
        var seen = new HashSet<(string, string, string)>();
        foreach (Function function in _model.Functions)
        {
            string where = Where(function);
            if (function.Name.Length == 0)
                _report.Error("SC3141", where, "a function has no name");
            if (!seen.Add((function.Domain, function.Name, function.Overload)))
                _report.Error("SC3141", where, "two functions have this domain, name and overload");
            if (_model.IrVersion >= 8 && !function.Shell.HasDomain)
                _report.Error("SC3141", where, "the function has no domain");
            if (function.Body.Outputs.Distinct().Count() != function.Body.Outputs.Count)
                _report.Error("SC3142", where, "an output is there twice");
            if (function.AttributeNames.Distinct().Count() != function.AttributeNames.Count)
                _report.Error("SC3142", where, "an attribute is there twice");
            GraphChecker.CheckOpsets(function.OpsetImports, where, _report);
        }

        CheckCalls();
    }

    private static string Where(Function function) => $"function '{(function.Domain.Length > 0 ? function.Domain + "." : "")}{function.Name}'";

    /// <summary>Depth first over the calls, with a stack of its own.</summary>
    private void CheckCalls()
    {
        var finished = new Dictionary<Function, bool>(ReferenceEqualityComparer.Instance);
        foreach (Function root in _functions.Values)
        {
            if (!finished.TryAdd(root, false))
                continue;
            var path = new Stack<(Function Function, IEnumerator<Function> Calls)>([(root, Calls(root).GetEnumerator())]);
            while (path.TryPeek(out (Function Function, IEnumerator<Function> Calls) top))
            {
                if (!top.Calls.MoveNext())
                {
                    finished[top.Function] = true;
                    path.Pop();
                    continue;
                }

                Function callee = top.Calls.Current;
                if (finished.TryAdd(callee, false))
                {
                    path.Push((callee, Calls(callee).GetEnumerator()));
                    if (path.Count > MaxCallDepth)
                    {
                        _report.Error("SC3145", Where(root), $"functions call each other more than {MaxCallDepth} deep");
                        return;
                    }
                }
                else if (!finished[callee])
                {
                    IEnumerable<Function> cycle = path.Select(p => p.Function).TakeWhile(f => f != callee).Append(callee).Reverse();
                    string names = string.Join(" -> ", cycle.Append(callee).Take(10).Select(f => SafeText.Of(f.Name)));
                    _report.Error("SC3144", Where(callee), $"the function calls itself: {names}");
                    return;
                }
            }
        }
    }

    private IEnumerable<Function> Calls(Function function)
    {
        var called = new HashSet<Function>(ReferenceEqualityComparer.Instance);
        var pending = new Stack<Graph>([function.Body]);
        while (pending.TryPop(out Graph? graph))
        {
            foreach (Node node in graph.Nodes)
            {
                if (Find(node) is { } callee && called.Add(callee))
                    yield return callee;
                foreach (Graph subgraph in node.Subgraphs)
                    pending.Push(subgraph);
            }
        }
    }
}
