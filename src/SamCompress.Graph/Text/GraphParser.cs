using Google.Protobuf;
using SamCompress.IR.Serialization;

namespace SamCompress.IR.Text;

/// <summary>
/// Reads ONNX text syntax, as <see cref="GraphPrinter"/> writes it and as <c>onnx.parser</c> reads it:
/// <code>
/// &lt;ir_version: 8, opset_import: ["" : 17]&gt;
/// agraph (float[N,3] X) =&gt; (float[N] Y) &lt;float[3] W = {1,2,3}, float[N,3] T&gt; {
///   [add] T = Add (X, W)
///   Y = ReduceSum &lt;keepdims = 0&gt; (T)
/// }
/// </code>
/// Beyond that syntax: every name, operator and domain may be quoted; strings know the escapes \n \r \t and \xHH; a NaN may be given by its
/// bits (0x7fa00000); tensors may be of any element type, two and four-bit elements one by one; sparse tensors are
/// <c>sparse_tensor(float[4]) {float[1] {1}, int64[1] {2}}</c>.
/// </summary>
public sealed class GraphParser
{
    private readonly TextScanner _scanner;
    private readonly AttributeParser _attributes;
    private int _depth;

    private GraphParser(string text)
    {
        _scanner = new TextScanner(text);
        _attributes = new AttributeParser(_scanner, ParseGraph);
    }

    /// <exception cref="SamCompressException">The text is malformed, with line and column; or the model cannot be built.</exception>
    public static Model ParseModel(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return OnnxReader.Parse(new GraphParser(text).ParseModel().ToByteArray());
    }

    private ModelProto ParseModel()
    {
        var model = new ModelProto();
        if (_scanner.TryTake('<'))
        {
            do
                ParseModelProperty(model);
            while (_scanner.TryTake(','));
            _scanner.Take('>');
        }

        model.Graph = ParseGraph();
        while (!_scanner.AtEnd)
            model.Functions.Add(ParseFunction());
        return model;
    }

    private void ParseModelProperty(ModelProto model)
    {
        string property = _scanner.Identifier();
        _scanner.Take(':');
        switch (property)
        {
            case "ir_version":
                model.IrVersion = _scanner.Integer();
                break;
            case "opset_import":
                ParseOpsets(model.OpsetImport);
                break;
            case "producer_name":
                model.ProducerName = _scanner.Text();
                break;
            case "producer_version":
                model.ProducerVersion = _scanner.Text();
                break;
            case "domain":
                model.Domain = _scanner.Text();
                break;
            case "model_version":
                model.ModelVersion = _scanner.Integer();
                break;
            case "doc_string":
                model.DocString = _scanner.Text();
                break;
            case "metadata_props":
                ParsePairs(model.MetadataProps);
                break;
            default:
                throw _scanner.Error($"'{property}' before this is no property of a model");
        }
    }

    private void ParseOpsets(ICollection<OperatorSetIdProto> opsets)
    {
        _scanner.Take('[');
        if (_scanner.TryTake(']'))
            return;
        do
        {
            string domain = _scanner.Text();
            _scanner.Take(':');
            opsets.Add(new OperatorSetIdProto { Domain = domain, Version = _scanner.Integer() });
        }
        while (_scanner.TryTake(','));
        _scanner.Take(']');
    }

    private void ParsePairs(ICollection<StringStringEntryProto> pairs)
    {
        _scanner.Take('[');
        if (_scanner.TryTake(']'))
            return;
        do
        {
            string key = _scanner.Text();
            _scanner.Take(':');
            pairs.Add(new StringStringEntryProto { Key = key, Value = _scanner.Text() });
        }
        while (_scanner.TryTake(','));
        _scanner.Take(']');
    }

    private FunctionProto ParseFunction()
    {
        var function = new FunctionProto();
        if (_scanner.TryTake('<'))
        {
            do
                ParseFunctionProperty(function);
            while (_scanner.TryTake(','));
            _scanner.Take('>');
        }

        function.Name = _scanner.Name();
        if (_scanner.TryTake('<') && !_scanner.TryTake('>'))
        {
            do
            {
                string name = _scanner.Name();
                if (_scanner.Next is ':' or '=')
                    function.AttributeProto.Add(_attributes.Parse(name));
                else
                    function.Attribute.Add(name);
            }
            while (_scanner.TryTake(','));
            _scanner.Take('>');
        }

        ParseFunctionValues(function.Input, function);
        _scanner.TakeArrow();
        ParseFunctionValues(function.Output, function);
        if (_scanner.TryTake('<') && !_scanner.TryTake('>'))
        {
            do
                function.ValueInfo.Add(ParseValue());
            while (_scanner.TryTake(','));
            _scanner.Take('>');
        }

        ParseNodes(function.Node);
        return function;
    }

    private void ParseFunctionProperty(FunctionProto function)
    {
        string property = _scanner.Identifier();
        _scanner.Take(':');
        switch (property)
        {
            case "opset_import":
                ParseOpsets(function.OpsetImport);
                break;
            case "domain":
                function.Domain = _scanner.Text();
                break;
            case "overload":
                function.Overload = _scanner.Text();
                break;
            case "doc_string":
                function.DocString = _scanner.Text();
                break;
            default:
                throw _scanner.Error($"'{property}' before this is no property of a function");
        }
    }

    private void ParseFunctionValues(ICollection<string> names, FunctionProto function)
    {
        _scanner.Take('(');
        if (_scanner.TryTake(')'))
            return;
        do
        {
            ValueInfoProto value = ParseValue();
            names.Add(value.Name);
            if (value.Type is not null)
                function.ValueInfo.Add(value);
        }
        while (_scanner.TryTake(','));
        _scanner.Take(')');
    }

    private GraphProto ParseGraph()
    {
        if (_depth > TextSyntax.MaxDepth)
            throw _scanner.Error($"nesting deeper than {TextSyntax.MaxDepth}");
        _depth++;
        var graph = new GraphProto { Name = _scanner.Name() };
        _scanner.Take('(');
        ParseValues(graph, graph.Input, ')');
        _scanner.TakeArrow();
        _scanner.Take('(');
        ParseValues(null, graph.Output, ')');
        if (_scanner.TryTake('<'))
            ParseDeclarations(graph);
        ParseNodes(graph.Node);
        _depth--;
        return graph;
    }

    /// <param name="graph">Takes the initial data that follows a value behind an equals sign; null where none may.</param>
    private void ParseValues(GraphProto? graph, ICollection<ValueInfoProto> values, char end)
    {
        if (_scanner.TryTake(end))
            return;
        do
        {
            ValueInfoProto value = ParseValue();
            values.Add(value);
            if (graph is not null && _scanner.TryTake('='))
                graph.Initializer.Add(ParseData(value));
        }
        while (_scanner.TryTake(','));
        _scanner.Take(end);
    }

    private void ParseDeclarations(GraphProto graph)
    {
        if (_scanner.TryTake('>'))
            return;
        do
        {
            ValueInfoProto value = ParseValue();
            if (!_scanner.TryTake('='))
                graph.ValueInfo.Add(value);
            else if (value.Type?.SparseTensorType is not null)
                graph.SparseInitializer.Add(_attributes.ParseSparseTensor(value.Type, value.Name));
            else
                graph.Initializer.Add(ParseData(value));
        }
        while (_scanner.TryTake(','));
        _scanner.Take('>');
    }

    private TensorProto ParseData(ValueInfoProto value)
    {
        if (_scanner.Next == '[')
            throw _scanner.Error("external data is not read from text: give the elements");
        return _attributes.ParseTensor(value.Type ?? throw _scanner.Error("initial data needs the type of its value"), value.Name);
    }

    private ValueInfoProto ParseValue()
    {
        TypeProto? type = TypeText.IsNext(_scanner) ? TypeText.Parse(_scanner) : null;
        return new ValueInfoProto { Type = type, Name = _scanner.Name() };
    }

    private void ParseNodes(ICollection<NodeProto> nodes)
    {
        _scanner.Take('{');
        while (!_scanner.TryTake('}'))
            nodes.Add(ParseNode());
    }

    private NodeProto ParseNode()
    {
        var node = new NodeProto();
        if (_scanner.TryTake('['))
        {
            if (_scanner.TryName() is { Length: > 0 } name)
                node.Name = name;
            _scanner.Take(']');
        }

        ParseNames(node.Output, '=');
        string opType = _scanner.Name();
        string? domain = null;
        while (_scanner.TryTake('.'))
        {
            domain = domain is null ? opType : $"{domain}.{opType}";
            opType = _scanner.Name();
        }

        node.OpType = opType;
        if (domain is not null)
            node.Domain = domain;
        if (_scanner.TryTake(':'))
            node.Overload = _scanner.Name();
        _attributes.ParseList(node.Attribute);
        _scanner.Take('(');
        ParseNames(node.Input, ')');
        if (node.Attribute.Count == 0)
            _attributes.ParseList(node.Attribute);
        return node;
    }

    /// <summary>Names up to <paramref name="end"/>. An empty one is "" or nothing before a comma; a comma at the end adds none.</summary>
    private void ParseNames(ICollection<string> names, char end)
    {
        while (!_scanner.TryTake(end))
        {
            names.Add(_scanner.TryName() ?? (_scanner.Next == ',' ? "" : throw _scanner.Error($"expected a name or '{end}'")));
            if (!_scanner.TryTake(',') && _scanner.Next != end)
                throw _scanner.Error($"expected ',' or '{end}'");
        }
    }
}
