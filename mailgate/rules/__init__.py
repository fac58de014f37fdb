"""Judgement: rules.yaml becomes a policy, and a policy turns facts into a decision."""
