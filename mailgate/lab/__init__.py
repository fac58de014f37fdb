"""What an administrator tries out on stored mail: inspect, explain, replay."""
